"""Codes that the registry and its files use, one word each (host, pure).

``messages.name_of(group, word)`` has their names; groups are named at each set.
"""

# areas (group "area")
DISTRICT, VILLAGE, GRID = AREAS = ("district", "village", "grid")

# five types of house, 五类 (group "type5")
MULTI_STOREY, RURAL, ENTERPRISE, APARTMENT, OTHER = TYPES = (
    "multi_storey", "rural", "enterprise", "apartment", "other",
)  # fmt: skip

# four classes, 四级 (group "class4"): 放心, 关注, 严管, 禁租
TRUSTED, WATCHED, STRICT, BARRED = CLASSES = ("trusted", "watched", "strict", "barred")

# state of a house (group "house"): known is registered and not yet admitted
KNOWN, ADMITTED, SUSPENDED, CLOSED = HOUSE_STATES = ("known", "admitted", "suspended", "closed")

# what a door or port is to a house (group "use")
ENTRANCE, ROOM_DOOR, CHARGER = USES = ("entrance", "room", "charger")

# inspections (group "inspection") and grades of hazards (group "hazard")
ADMISSION, PERIODIC, FOLLOW_UP = INSPECTIONS = ("admission", "periodic", "follow_up")
MINOR, MAJOR = GRADES = ("minor", "major")

# who answers for a breach (group "party"), and what was decided (group "sanction")
PARTIES = ("landlord", "tenant", "agent", "enterprise")
CLEARANCE, SEALING, DEADLINE, FINE, DETENTION, WARNING = SANCTIONS = (
    "clearance", "sealing", "deadline", "fine", "detention", "warning",
)  # fmt: skip

# kinds of stay (group "stay") and why one ended (group "end")
TENANT, WORKER, VISITOR = STAYS = ("tenant", "worker", "visitor")
LEFT, EARLY, MOVED, EVICTED, NOT_ON_ROSTER = ENDS = (
    "left", "early", "moved", "evicted", "not_on_roster",
)  # fmt: skip

# what a roster means for a person (group "roster"), and for who is not on it any more (group
# "leavers"): they stay, they are named, their stays end
(
    NEW, EXTENDED, MOVED_ON, OTHER_BED, OTHER_CARD, DETAILS, UNCHANGED, LEAVING, CHECKED_OUT,
    REFUSED_ROW,
) = ON_ROSTER = (
    "new", "extended", "moved", "bed", "card", "details", "unchanged", "leaving", "checked_out",
    "refused",
)  # fmt: skip
KEEP, LIST, END = LEAVERS = ("keep", "list", "end")

# what a list of houses means for a house (group "house_list"), beside NEW, UNCHANGED, REFUSED_ROW
CHANGED = "changed"
ON_HOUSE_LIST = (NEW, CHANGED, UNCHANGED, REFUSED_ROW)

# documents of a person (group "document"); id_card holds residence permits 81, 82, 83 too;
# travel_permit is the 通行证 of residents of Hong Kong, Macao and Taiwan
ID_CARD, PASSPORT, TRAVEL_PERMIT, NO_DOCUMENT = DOCUMENTS = (
    "id_card", "passport", "travel_permit", "none",
)  # fmt: skip

# sex (group "sex"); an ID number says it itself
SEXES = ("M", "F")

# roles of operators (group "operator"), what each may: rules.duty
CLERK, SUPERVISOR, POLICE, AUDITOR, HEAD = ROLES = (
    "clerk", "supervisor", "police", "auditor", "head",
)  # fmt: skip

# 四长一员 and the others who answer for houses (group "duty")
DUTIES = (
    "building_head", "unit_head", "yard_head", "party_head", "informant",
    "grid_keeper", "household_officer", "patrol", "guard", "landlord",
)  # fmt: skip

# acts of two operators (group "pair") and their states (group "pair_state")
FOUND, EVICTION, LOSS_OF_DEVICE = PAIR_ACTS = ("found", "eviction", "device_loss")
ASKED, DONE, REFUSED, LAPSED = PAIR_STATES = ("asked", "done", "refused", "lapsed")
