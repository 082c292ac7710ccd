"""The only way to the rows of agents and keys: every function says whose they are.

An agent that the asker may not use is answered like one that does not exist."""

from agents.access.agents import agent_of as agent_of
from agents.access.agents import agent_of_visitors as agent_of_visitors
from agents.access.agents import agent_states as agent_states
from agents.access.agents import agent_version as agent_version
from agents.access.agents import agents_listed as agents_listed
from agents.access.agents import agents_named as agents_named
from agents.access.agents import agents_of_organization as agents_of_organization
from agents.access.agents import agents_watched as agents_watched
from agents.access.agents import create_agent as create_agent
from agents.access.agents import ensure_agent as ensure_agent
from agents.access.agents import hidden_agents as hidden_agents
from agents.access.agents import hide_agent as hide_agent
from agents.access.agents import hide_agents as hide_agents
from agents.access.agents import opened_by as opened_by
from agents.access.agents import slugs_opened as slugs_opened
from agents.access.agents import usable_agents as usable_agents
from agents.access.identity import erase_identity_secret as erase_identity_secret
from agents.access.identity import identity_of as identity_of
from agents.access.identity import identity_secret as identity_secret
from agents.access.identity import store_identity_secret as store_identity_secret
from agents.access.keys import find_key as find_key
from agents.access.keys import key_of as key_of
from agents.access.keys import key_of_agent as key_of_agent
from agents.access.keys import key_of_organization as key_of_organization
from agents.access.keys import key_states as key_states
from agents.access.keys import keys_of_agent as keys_of_agent
from agents.access.keys import keys_of_organization as keys_of_organization
from agents.access.keys import lineage_of as lineage_of
from agents.access.keys import lock_key as lock_key
from agents.access.keys import newest_key as newest_key
from agents.access.keys import require_every_agent as require_every_agent
from agents.access.operator import agent_of_operator as agent_of_operator
from agents.access.operator import agents_of_operator as agents_of_operator
from agents.access.operator import key_of_operator as key_of_operator
from agents.access.operator import keys_of_operator as keys_of_operator
from agents.access.operator import model_addresses as model_addresses
from agents.access.operator import slug_with_page as slug_with_page
from agents.access.tickets import erase_tickets as erase_tickets
from agents.access.tickets import find_ticket as find_ticket
from agents.access.tickets import open_ticket as open_ticket
from agents.access.tickets import purge_tickets as purge_tickets
