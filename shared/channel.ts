import {
  type Channel,
  type ChannelEffect,
  type ChannelEvent,
  type ChannelStep,
  channel_limits,
  type Kept,
} from './channel-state.ts';
import { errors, type Refusal, refuse } from './errors.ts';
import type { ChannelFrame } from './protocol/player-channel.ts';

const still = (channel: Channel): ChannelStep => ({ channel, effects: [] });

const drop = (channel: Channel, why: string): ChannelStep => ({ channel, effects: [{ type: 'drop', why }] });

const isUp = ({ phase }: Channel): boolean => phase === 'greeting' || phase === 'attached';

/** Nothing is kept beyond the end. */
const over = (channel: Channel, now: number): Channel => ({
  ...channel,
  phase: 'over',
  since: now,
  kept: [],
  kept_bytes: 0,
  ack_at: null,
});

/** The channel cannot go on without a loss: both ends are told. */
const lost = (channel: Channel, now: number, refusal: Refusal): ChannelStep => {
  const { close: code, text } = errors[refusal.refused];
  const reason = refusal.detail ?? text;
  const told: ChannelEffect[] = isUp(channel) ? [{ type: 'send', frame: { kind: 'end', code, reason } }] : [];
  return { channel: over(channel, now), effects: [...told, { type: 'over', code, reason }] };
};

const told = (channel: Channel): Channel => ({
  ...channel,
  told: channel.received,
  untold_bytes: 0,
  ack_at: null,
});

const sayAck = (channel: Channel): ChannelStep => ({
  channel: told(channel),
  effects: [{ type: 'send', frame: { kind: 'ack', ack: channel.received } }],
});

const dataOf = (channel: Channel, { seq, text }: Kept): ChannelEffect => ({
  type: 'send',
  frame: { kind: 'data', seq, ack: channel.received, text },
});

/** Sends everything that is not confirmed, after `first`. */
const sendKept = (channel: Channel, first: ChannelEffect): ChannelStep => ({
  channel: channel.kept.length === 0 ? channel : told(channel),
  effects: [first, ...channel.kept.map((one) => dataOf(channel, one))],
});

const attached = (channel: Channel, now: number): ChannelStep => {
  const fresh = { ...channel, since: now, ack_at: null, asked_at: null };
  if (channel.role === 'agent') return still({ ...fresh, phase: 'greeting' });
  const up = { ...fresh, ping_at: now + channel_limits.ping_ms };
  // Who has never heard of the agent does not wait for it: what comes twice is passed over there.
  if (!channel.heard)
    return sendKept({ ...up, phase: 'attached' }, { type: 'send', frame: { kind: 'open' } });
  const resume: ChannelEffect = { type: 'send', frame: { kind: 'resume', received: channel.received } };
  return { channel: told({ ...up, phase: 'greeting' }), effects: [resume] };
};

const say = (channel: Channel, text: string, bytes: number, now: number): ChannelStep => {
  const one = { seq: channel.sent + 1, text, bytes };
  const next = {
    ...channel,
    sent: one.seq,
    kept: [...channel.kept, one],
    kept_bytes: channel.kept_bytes + bytes,
  };
  const { kept_messages, kept_bytes } = channel_limits;
  if (next.kept.length > kept_messages || next.kept_bytes > kept_bytes || one.seq > 0xffff_ffff) {
    return lost(channel, now, refuse('channel_lost'));
  }
  return channel.phase === 'attached' ? { channel: told(next), effects: [dataOf(next, one)] } : still(next);
};

/** The other end has everything up to `ack`; undefined when it cannot have. */
const confirmed = (channel: Channel, ack: number): Channel | undefined => {
  const { kept, kept_bytes, sent } = channel;
  if (ack > sent) return undefined;
  const done = kept.findLastIndex(({ seq }) => seq <= ack) + 1;
  if (done === 0) return channel;
  const bytes = kept.slice(0, done).reduce((sum, one) => sum + one.bytes, 0);
  return { ...channel, kept: kept.slice(done), kept_bytes: kept_bytes - bytes };
};

/** The first frame of a leg, or its answer: how far the other end has got. It cannot have got less than it has confirmed. */
const greeted = (channel: Channel, received: number, now: number): Channel | undefined => {
  const confirmed_before = channel.sent - channel.kept.length;
  if (received < confirmed_before) return undefined;
  const next = confirmed(channel, received);
  return next && { ...next, phase: 'attached', since: now, heard: true };
};

const greetedByPage = (channel: Channel, frame: ChannelFrame, now: number): ChannelStep => {
  if (frame.kind !== 'open' && frame.kind !== 'resume')
    return drop(channel, 'a leg begins with open or resume');
  // A page that remembers a channel which is not known here: it was given up, or the agent was restarted.
  if (frame.kind === 'resume' && !channel.heard) return lost(channel, now, refuse('channel_lost'));
  const next = greeted(channel, frame.kind === 'open' ? 0 : frame.received, now);
  if (next === undefined) return lost(channel, now, refuse('channel_lost'));
  const step = sendKept(told(next), { type: 'send', frame: { kind: 'resumed', received: next.received } });
  return channel.heard ? step : { ...step, effects: [...step.effects, { type: 'begin' }] };
};

const resumed = (channel: Channel, received: number, now: number): ChannelStep => {
  if (channel.phase === 'attached') {
    // The answer to `open`: everything has been sent already.
    const next = confirmed(channel, received);
    return next === undefined ? lost(channel, now, refuse('channel_lost')) : still(next);
  }
  const next = greeted(channel, received, now);
  if (next === undefined) return lost(channel, now, refuse('channel_lost'));
  return next.kept.length === 0
    ? still(next)
    : { channel: told(next), effects: next.kept.map((one) => dataOf(next, one)) };
};

type Data = Extract<ChannelFrame, { kind: 'data' }>;

const received = (channel: Channel, { seq, ack, text }: Data, bytes: number, now: number): ChannelStep => {
  const next = confirmed(channel, ack);
  if (next === undefined) return lost(channel, now, refuse('malformed', 'an unknown number was confirmed'));
  if (seq <= channel.received) return still(next);
  if (seq > channel.received + 1) return drop(next, 'a number is missing');
  const { ack_ms, ack_messages, ack_bytes } = channel_limits;
  const got = {
    ...next,
    received: seq,
    untold_bytes: next.untold_bytes + bytes,
    ack_at: next.ack_at ?? now + ack_ms,
  };
  const step = seq - got.told >= ack_messages || got.untold_bytes >= ack_bytes ? sayAck(got) : still(got);
  return { ...step, effects: [...step.effects, { type: 'deliver', text }] };
};

const taken = (channel: Channel, frame: ChannelFrame, now: number): ChannelStep => {
  if (!isUp(channel)) return still(channel);
  const { role, phase } = channel;
  if (frame.kind === 'end') {
    const { code, reason } = frame;
    return { channel: over(channel, now), effects: [{ type: 'over', code, reason }] };
  }
  if (phase === 'greeting' && role === 'agent') return greetedByPage(channel, frame, now);
  const heard = { ...channel, heard: true, asked_at: null };
  if (frame.kind === 'resumed' && role === 'page') return resumed(heard, frame.received, now);
  if (phase === 'greeting') return drop(channel, 'the agent did not greet');
  switch (frame.kind) {
    case 'data':
      return received(heard, frame, new TextEncoder().encode(frame.text).length, now);
    case 'ack':
    case 'ping': {
      const next = confirmed(heard, frame.ack);
      if (next === undefined)
        return lost(channel, now, refuse('malformed', 'an unknown number was confirmed'));
      return frame.kind === 'ping' ? sayAck(next) : still(next);
    }
    default:
      return drop(channel, `${frame.kind} in the middle of a leg`);
  }
};

const ping = (channel: Channel, now: number): ChannelStep => {
  const { ping_ms, ping_answer_ms } = channel_limits;
  const { asked_at, received: ack } = channel;
  if (asked_at !== null && now - asked_at >= ping_answer_ms) return drop(channel, 'no sign of life');
  const next = { ...told(channel), ping_at: now + ping_ms, asked_at: asked_at ?? now };
  return { channel: next, effects: [{ type: 'send', frame: { kind: 'ping', ack } }] };
};

const tick = (channel: Channel, now: number): ChannelStep => {
  const { phase, since, ack_at, window_ms } = channel;
  const { greeting_ms } = channel_limits;
  if (phase === 'detached' && now - since >= window_ms) return lost(channel, now, refuse('channel_lost'));
  if (phase === 'greeting' && now - since >= greeting_ms) return drop(channel, 'no greeting in time');
  if (phase !== 'attached') return still(channel);
  if (channel.role === 'page' && now >= channel.ping_at) return ping(channel, now);
  return ack_at !== null && now >= ack_at ? sayAck(channel) : still(channel);
};

/** When a `tick` is needed next; null when none is. */
export const channelDue = ({ role, phase, since, ack_at, ping_at, window_ms }: Channel): number | null => {
  switch (phase) {
    case 'detached':
      return since + window_ms;
    case 'greeting':
      return since + channel_limits.greeting_ms;
    case 'attached': {
      const ping = role === 'page' ? ping_at : Number.POSITIVE_INFINITY;
      const due = Math.min(ack_at ?? Number.POSITIVE_INFINITY, ping);
      return Number.isFinite(due) ? due : null;
    }
    case 'over':
      return null;
  }
};

/** What an event makes of one end of a channel; once it is over, nothing. */
export const stepChannel = (channel: Channel, event: ChannelEvent, now: number): ChannelStep => {
  if (channel.phase === 'over') return still(channel);
  switch (event.type) {
    case 'attached':
      return attached(channel, now);
    case 'detached':
      return still(
        isUp(channel) ? { ...channel, phase: 'detached', since: now, ack_at: null, asked_at: null } : channel,
      );
    case 'say':
      return say(channel, event.text, event.bytes, now);
    case 'frame':
      return taken(channel, event.frame, now);
    case 'end': {
      const { code, reason } = event;
      const end: ChannelEffect[] = isUp(channel)
        ? [{ type: 'send', frame: { kind: 'end', code, reason } }]
        : [];
      return { channel: over(channel, now), effects: end };
    }
    case 'tick':
      return tick(channel, now);
  }
};
