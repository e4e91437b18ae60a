"""Personal data of members and their identities."""

from crm.members.privacy import PersonalData

members = PersonalData(
    "members",
    (
        "display_name",
        "birthday",
        "phone_sealed",
        "phone_index",
        "phone_tail_index",
        "email_sealed",
        "email_index",
        "attributes",
        "personal_sealed",
    ),
    member_column="id",
)
identities = PersonalData("identities", ("address", "display_name", "username"))
merges = PersonalData("member_merges", ("records_sealed",), member_column="keep_id")
