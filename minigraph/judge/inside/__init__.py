"""What runs inside the sandbox, beside a student's program.

Copied there together with the engine, without the exercises. Nothing here knows a right answer, and
nothing outside believes what comes from here: it is read as plain data, whoever has written it.

Read `server.py` (a warm process that forks for each exercise), `walls.py` (what the fork can no
longer do), `cells.py` (how a notebook is run), `trying.py` (how the function is called), and
`values.py` (how arguments and answers cross, used on both sides).
"""
