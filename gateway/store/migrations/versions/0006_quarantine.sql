-- What a quarantined sync brought, kept until a person has decided.
SELECT 1;
