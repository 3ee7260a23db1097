"""The scheduler as it runs in earnest, but for the times of its alerts: ``python -m tests.observe.scheduler``."""

from functools import partial

from app.processes import scheduler
from app.processes.alerting import watch_alerts
from app.processes.logs import log_as
from app.processes.vitals import show_page, vitals_of
from app.processes.worker import metrics_of
from app.settings import load_settings
from tests.observe.times import SHORT, TIMES


def main() -> None:
    """Run it until SIGTERM."""
    settings = load_settings()
    log_as("scheduler", settings)
    vitals = vitals_of("scheduler", settings, metrics_of("scheduler", settings))
    show_page("scheduler", settings, vitals)
    scheduler.run_scheduler(settings, vitals, alerts=partial(watch_alerts, settings, alerts=SHORT, times=TIMES))


if __name__ == "__main__":
    main()
