"""Checks of notebook 05. Each decides from a property or a formula written out here,
never by comparing with the library's version alone."""

from course_utils.checks.notebook_05_dictionary_learning import acting as acting
from course_utils.checks.notebook_05_dictionary_learning import detection as detection
from course_utils.checks.notebook_05_dictionary_learning import explained as explained
from course_utils.checks.notebook_05_dictionary_learning import partners as partners
from course_utils.checks.notebook_05_dictionary_learning import recovery as recovery
from course_utils.checks.notebook_05_dictionary_learning import shrinkage as shrinkage
