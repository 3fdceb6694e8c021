import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Cancel, systemClock } from '../../../shared/clock.ts';
import type { Session } from '../../../shared/protocol/http.ts';
import { leaveSession } from '../kit/api.ts';
import { Icon } from '../kit/icons.tsx';
import { useTexts } from '../kit/language.ts';
import { forgetMembership, type Membership } from '../kit/membership.ts';
import { goTo } from '../kit/route.ts';
import { FullScreenButton } from './full-screen.tsx';
import { InviteButton } from './invite.tsx';
import { LeaveDialog } from './leave-dialog.tsx';
import { type Focus, staysInPage } from './overlay-keys.ts';

interface Props {
  id: string;
  membership: Membership;
  session: Session | undefined;
  title: string;
  playing: boolean;
  muted: boolean;
  onSound: (on: boolean) => void;
}

/** How long the bar stays after the picture came or a finger used it, and after the pointer or the focus has left it. */
const first_look_ms = 6_000;
const linger_ms = 1_500;

/**
 * Whether the bar is out. It comes for a press on its handle and for the focus, stays while the pointer or the focus is in
 * it, and goes by itself while the video plays.
 */
const useBar = (playing: boolean) => {
  const [open, setOpen] = useState(true);
  const cancel = useRef<Cancel>(() => undefined);
  const held = useRef({ pointer: false, focus: false });
  const closeAfter = (ms: number) => {
    cancel.current();
    if (!playing || held.current.pointer || held.current.focus) return;
    cancel.current = systemClock.after(ms, () => setOpen(false));
  };
  const hold = (by: 'pointer' | 'focus', holds: boolean) => {
    held.current[by] = holds;
    if (!holds) return closeAfter(linger_ms);
    cancel.current();
    if (by === 'focus') setOpen(true);
  };
  useEffect(() => {
    setOpen(true);
    closeAfter(first_look_ms);
    return () => cancel.current();
  }, [playing]);
  const used = () => closeAfter(first_look_ms);
  return { open, hold, used, toggle: () => setOpen(!open) };
};

const focusOf = (target: EventTarget | null): Focus =>
  target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement ? 'field' : 'control';

type ToolsProps = Pick<Props, 'session' | 'title' | 'muted' | 'onSound'> & { onLeave: () => void };

/** What the bar holds: the app's title, the invitation, who is there, sound, full screen, leaving. */
const Tools = ({ session, title, muted, onSound, onLeave }: ToolsProps): JSX.Element => {
  const texts = useTexts();
  return (
    <div class="bar">
      <strong class="bar-title">{title}</strong>
      {session !== undefined && session.invite !== null && (
        <InviteButton code={session.code} invite={session.invite} title={title} />
      )}
      {session !== undefined && (
        <span class="people" role="img" aria-label={texts.participants(session.participants)}>
          <Icon name="people" />
          {session.participants}
        </span>
      )}
      <span class="bar-gap" />
      <button
        type="button"
        class="tool"
        aria-label={muted ? texts.soundOn : texts.soundOff}
        title={muted ? texts.soundOn : texts.soundOff}
        onClick={() => onSound(muted)}
      >
        <Icon name={muted ? 'muted' : 'sound'} />
      </button>
      <FullScreenButton />
      <button type="button" class="tool tool-leave" onClick={onLeave}>
        <Icon name="leave" />
        <span>{texts.leave}</span>
      </button>
    </div>
  );
};

/** The controls over the video. Their keys stay theirs; all others go on to the app, whose listener is the document's. */
export const Overlay = ({ id, membership, session, title, playing, muted, onSound }: Props): JSX.Element => {
  const texts = useTexts();
  const bar = useBar(playing);
  const [leaving, setLeaving] = useState(false);

  const keys = (event: KeyboardEvent) => {
    if (staysInPage(event.type, event.key, focusOf(event.target))) event.stopPropagation();
    if (event.type === 'keydown' && event.key === 'Escape' && !leaving) dropFocus();
  };
  const dropFocus = () => {
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  };
  const leave = () => {
    // Not waited for: the coordinator notices the closed connection anyway, only some seconds later.
    void leaveSession(id, membership.participant_token);
    forgetMembership(id);
    goTo('/');
  };

  return (
    <section
      aria-label={texts.controls}
      class={bar.open ? 'overlay open' : 'overlay'}
      onKeyDown={keys}
      onKeyPress={keys}
      onKeyUp={keys}
      onClick={(event) => {
        // A mouse or finger gives the keyboard back to the app; somebody who tabs keeps the place.
        if (event.detail > 0 && !leaving) dropFocus();
        bar.used();
      }}
      onFocusIn={() => bar.hold('focus', true)}
      onFocusOut={() => bar.hold('focus', false)}
    >
      <div
        class="bar-zone"
        onPointerEnter={({ pointerType }) => pointerType === 'mouse' && bar.hold('pointer', true)}
        onPointerLeave={({ pointerType }) => pointerType === 'mouse' && bar.hold('pointer', false)}
      >
        <Tools
          {...{ session, title, muted, onSound }}
          onLeave={() => (membership.owner ? setLeaving(true) : leave())}
        />
        <button
          type="button"
          class="handle"
          aria-expanded={bar.open}
          aria-label={bar.open ? texts.hideControls : texts.showControls}
          onClick={bar.toggle}
        >
          <Icon name={bar.open ? 'up' : 'down'} />
        </button>
      </div>
      {playing && muted && (
        <button type="button" class="sound-hint" onClick={() => onSound(true)}>
          <Icon name="muted" />
          {texts.soundOn}
        </button>
      )}
      {leaving && (
        <LeaveDialog
          id={id}
          token={membership.participant_token}
          alone={(session?.participants ?? 1) <= 1}
          onStay={() => setLeaving(false)}
          onLeave={leave}
        />
      )}
    </section>
  );
};
