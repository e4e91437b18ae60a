"""The command list that channels with one show, by language; data only."""

COMMANDS: dict[str, list[tuple[str, str]]] = {
    "zh-CN": [
        ("checkin", "每日签到"),
        ("points", "查积分"),
        ("tier", "我的等级"),
        ("rewards", "积分换礼品"),
        ("coupons", "我的优惠券"),
        ("code", "输入兑换码"),
        ("survey", "填问卷"),
        ("menu", "菜单"),
        ("profile", "我的资料"),
        ("language", "中文 / English"),
        ("link", "关联其他账号"),
        ("human", "找真人客服"),
        ("help", "帮助"),
        ("cancel", "取消当前操作"),
        ("stop", "不再接收消息"),
    ],
    "en": [
        ("checkin", "Check in for today"),
        ("points", "Your points and how to earn more"),
        ("tier", "Your tier and the way to the next"),
        ("rewards", "What your points get you"),
        ("coupons", "Your coupons"),
        ("code", "Enter a code"),
        ("survey", "Tell us what you think"),
        ("menu", "Menu"),
        ("profile", "Your details"),
        ("language", "English / 中文"),
        ("link", "Bring your accounts together"),
        ("human", "Talk to a person"),
        ("help", "Help"),
        ("cancel", "Leave what we're doing"),
        ("stop", "No more news from us"),
    ],
}
"""(command without the slash, description), in the order in which they are shown."""
