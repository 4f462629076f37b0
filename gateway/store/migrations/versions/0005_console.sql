-- People who use the console, their sessions, and the log of what they changed.
SELECT 1;
