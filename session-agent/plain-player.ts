import { errors, explain, isRefusal, type Refusal, refuse } from '../shared/errors.ts';
import { Negotiation } from '../shared/negotiation.ts';
import type { Frame } from '../shared/socket.ts';
import {
  closeLine,
  type Line,
  type LocalTools,
  openLocal,
  type Player,
  type PlayerOrder,
} from './player-line.ts';

const toText = (frame: Frame): string =>
  typeof frame === 'string' ? frame : new TextDecoder().decode(frame);

/** A player whose connection is text, and ends with either of its legs. Undefined, and the page is told, where there can be none. */
export const openPlain = (order: PlayerOrder, line: Line, tools: LocalTools): Player | undefined => {
  const url = order.url();
  if (isRefusal(url)) {
    closeLine(line, url);
    return undefined;
  }
  const end = (refusal: Refusal) => {
    local.close(errors[refusal.refused].close, explain(refusal));
    closeLine(line, refusal);
  };
  const negotiation = new Negotiation(order.answered);
  const local = openLocal(order, url, tools, {
    open: order.established,
    frame(frame) {
      const text = toText(frame);
      negotiation.hears('host', text);
      if (!line.send(Buffer.from(text))) end(refuse('too_slow'));
    },
    closed(how) {
      if (isRefusal(how)) closeLine(line, how);
      else line.close(how.code, how.reason);
    },
  });
  return {
    take(payload) {
      const text = toText(payload);
      negotiation.hears('page', text);
      if (!local.send(text)) end(refuse('too_slow'));
    },
    gone: local.close,
    end,
  };
};
