"""Print what the tests measured, at the end of every run: `record_property("budget", line)`."""


def pytest_terminal_summary(terminalreporter):
    # Properties travel with the reports, so this works for the processes of xdist as well.
    lines = [
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", None) == "call"
        for name, value in report.user_properties
        if name == "budget"
    ]
    if lines:
        terminalreporter.section("measured, against the budget")
        for line in lines:
            terminalreporter.line(line)
