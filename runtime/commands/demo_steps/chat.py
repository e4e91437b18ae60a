"""The member's side: writes, taps and reads over the simulator's HTTP."""

from typing import Any

from bot.channels.telegram.simulator.client import SimulatorClient
from runtime.commands.demo_steps.script import Script, StepFailed
from runtime.simulated import USERNAME

_PEER = f"@{USERNAME}"


class MemberChat:
    """One pretend person in the chat with the brand's bot."""

    def __init__(self, client: SimulatorClient, user_id: int, script: Script) -> None:
        self._client = client
        self.user_id = user_id
        self._script = script
        self._seen = 0
        self._last: dict[str, Any] = {}

    async def start(self, payload: str = "") -> None:
        """Press Start."""
        self._script.member(f"/start {payload}".strip())
        await self._client.start(self.user_id, _PEER, payload)

    async def say(self, text: str) -> None:
        """Write something."""
        self._script.member(text)
        await self._client.send_text(self.user_id, _PEER, text)

    async def tap(self, label: str) -> None:
        """Tap a button of the last message."""
        self._script.member(f"[{label}]")
        await self._client.press_button(self.user_id, _PEER, int(self._last["message_id"]), text=label)

    async def share_contact(self) -> None:
        """Share the own phone number."""
        self._script.member("[shares own contact]")
        await self._client.send_contact(self.user_id, _PEER)

    async def hears(self, *parts: str) -> str:
        """The bot's next message that contains the first part; every part must be in it. Raises StepFailed."""
        try:
            found = await self._client.wait_for_message(
                self.user_id, _PEER, contains=parts[0], after=self._seen, seconds=20
            )
        except TimeoutError as error:
            raise StepFailed(f"the bot did not say {parts[0]!r}") from error
        self._seen = int(found["sequence"])
        self._last = found["message"]
        text = str(self._last.get("text") or self._last.get("caption") or "")
        self._script.bot(text)
        for part in parts:
            if part not in text:
                raise StepFailed(f"the bot's answer lacks {part!r}")
        return text
