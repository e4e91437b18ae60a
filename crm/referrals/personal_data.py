"""Personal data of referrals: the name on a poster, and the digests of devices."""

from crm.members.privacy import PersonalData

posters = PersonalData("referral_posters", ("media_id",))
devices = PersonalData("referral_devices", ("fingerprint",))
