"""What stands around the core: more of the table, symbolic Nodes, scopes, refusals, Graph, files.

Importing it enters all operations and composed functions, and gives Node what the core leaves out.
"""

from . import collecting as collecting
from . import functions as functions
from . import hooks as hooks
from . import identity as identity
from . import leaving as leaving
from . import operators as operators
from . import saving as saving
