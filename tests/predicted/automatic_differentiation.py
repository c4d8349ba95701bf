"""Lesson 06: the passes edge by edge, and the sizes of the table of derivatives."""


def after(passes):
    """What a holds when nothing is cleared: each pass hands on all that lies in d."""
    d = a = 0
    for product in range(1, passes + 1):  # what has arrived at d · d by then
        d += product * 5 + product * 5
        a += d
    return a


assert after(1) == 10
TRUTHS = {
    "nothing_set_back": {"grad": after(2)},
    "passes_for_a_million": {"forward": "a million", "backward": "one"},
}
