"""Lists of who may use what an administrator set up, as they are written: each member is judged by itself."""

from typing import Annotated

from app.domain.grants import granted_host_problem, granted_id_problem, many_problem
from schemas.reading import refused_by

GrantedIds = Annotated[list[Annotated[str, refused_by(granted_id_problem)]], refused_by(many_problem)]
GrantedHosts = Annotated[list[Annotated[str, refused_by(granted_host_problem)]], refused_by(many_problem)]
