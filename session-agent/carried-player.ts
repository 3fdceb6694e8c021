import { errors, explain, isRefusal, type Refusal } from '../shared/errors.ts';
import { encodeChannelFrame } from '../shared/protocol/player-channel.ts';
import {
  closeLine,
  type Line,
  type LocalTools,
  openLocal,
  type Player,
  type PlayerOrder,
} from './player-line.ts';

/** A page takes this close for a cut: it comes back to its channel. */
const cut_code = 1012;
/** A socket that ended without a closing handshake. */
const abnormal = 1006;

const endFrame = (refusal: Refusal): Uint8Array<ArrayBuffer> =>
  encodeChannelFrame({ kind: 'end', code: errors[refusal.refused].close, reason: explain(refusal) });

/**
 * A player that signalling keeps: page and signalling number what they say, and this is one leg of their channel, of which
 * nothing is remembered here. So an agent that dies takes the leg alone; the page comes back, and its picture has not stopped.
 */
export const openCarried = (order: PlayerOrder, line: Line, tools: LocalTools): Player | undefined => {
  const tellEnd = (refusal: Refusal) => {
    line.send(endFrame(refusal));
    closeLine(line, refusal);
  };
  const url = order.url();
  if (isRefusal(url)) {
    tellEnd(url);
    return undefined;
  }
  const drop = () => {
    const { close, text } = errors.too_slow;
    local.close(close, text);
    line.close(cut_code, text);
  };
  const local = openLocal(order, url, tools, {
    open: order.established,
    frame(frame) {
      if (typeof frame === 'string') order.answered();
      else if (!line.send(frame)) drop();
    },
    closed(how) {
      if (isRefusal(how)) tellEnd(how);
      else line.close(how.code === abnormal ? cut_code : how.code, how.reason);
    },
  });
  return {
    take(payload) {
      if (!local.send(payload)) drop();
    },
    gone: local.close,
    end(refusal) {
      local.send(endFrame(refusal));
      local.close(errors[refusal.refused].close, explain(refusal));
      tellEnd(refusal);
    },
  };
};
