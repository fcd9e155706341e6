"""The models that the tests of `language` share, each loaded once in a process."""

from functools import cache

from course_utils import language

TEXTS = [
    "for (let i = 0; i < n; i++) { total += prices[i]; }",
    "Der Zug fährt um 9:45 Uhr ab; bitte beeilen Sie sich.",
    "She closed the door; nobody had seen her.",
    "你好，世界; été 😀",
    ";",
    "import os\n\n\ndef home():\n    return os.path.expanduser('~')\n",
    "Short.",
]


@cache
def load(name, trained=True):
    if name == "one-layer":
        return language.load_one_layer("A", trained=trained)
    language.fetch_smollm2()  # is there, if `course.py test` could fetch it
    return language.load_smollm2(trained=trained)
