"""The scheduler role as a process; its settings come from the environment, as in production."""

from app.processes.logs import set_up_logging
from app.processes.scheduler import run_scheduler
from app.settings import load_settings

if __name__ == "__main__":
    set_up_logging("scheduler", "INFO")
    run_scheduler(load_settings())
