-- Waits for the statements that store documents, or refer to them anew, and holds others back until the transaction ends: whatever
-- stores a run or a version of a workflow inserts into documents too, be it nothing.
lock table documents in share row exclusive mode
