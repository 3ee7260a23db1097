"""The scheduler role as a process; its settings come from the environment, as in production."""

from app.metrics.roles import registry_of
from app.processes.logs import set_up_logging
from app.processes.scheduler import run_scheduler
from app.processes.vitals import vitals_of
from app.settings import load_settings

if __name__ == "__main__":
    set_up_logging("scheduler", "INFO")
    settings = load_settings()
    run_scheduler(settings, vitals_of("scheduler", settings, registry_of("scheduler")))
