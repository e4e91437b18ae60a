"""Personal data of imports: the file, until it has been read to its end."""

from crm.members.privacy import PersonalData

files = PersonalData("imports", ("file_sealed",), member_column=None)
