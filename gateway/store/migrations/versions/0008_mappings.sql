-- What places, units and attributes mean, as people have told.
SELECT 1;
