-- Rules by which costs become prices.
SELECT 1;
