"""`/api/organization`, `/api/members` and `/api/invitations`: an organisation and its people.

Each route needs the scope `admin`: a key of every agent, or an owner's or admin's session."""
