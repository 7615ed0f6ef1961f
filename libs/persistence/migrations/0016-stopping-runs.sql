-- How a run that is being stopped is to end: {"reason": text} cancelled, with "error" failed. Null while nobody has asked for that.
alter table runs add column stopping json;
