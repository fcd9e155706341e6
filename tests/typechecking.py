"""The type checker that conftest puts into course_utils; a module, because the hook imports it."""

from beartype import BeartypeConf, beartype

# An int is accepted where a float is asked for, as PEP 484 says.
typecheck = beartype(conf=BeartypeConf(is_pep484_tower=True))
