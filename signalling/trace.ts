import type { Log } from '../shared/log.ts';
import type { Frame } from '../shared/socket.ts';
import type { Options } from './options.ts';

/** Logs one protocol message; `connection` is whose it is. */
export type Trace = (direction: 'incoming' | 'outgoing', connection: string, frame: Frame) => void;

const readable = (text: string): Record<string, unknown> => {
  try {
    const message: unknown = JSON.parse(text);
    return typeof message === 'object' && message !== null ? (message as Record<string, unknown>) : {};
  } catch {
    return {};
  }
};

/** What `--console_messages` asks for, or undefined. Descriptions and candidates then stand in the log. */
export const createTrace = (detail: Options['console_messages'], log: Log): Trace | undefined => {
  if (detail === '') return undefined;
  return (direction, connection, frame) => {
    const text = typeof frame === 'string' ? frame : new TextDecoder().decode(frame);
    const message = detail === 'verbose' ? {} : readable(text);
    const shown = {
      basic: { type: message.type },
      verbose: { protoMessage: text },
      formatted: { protoMessage: message },
    };
    log.info({ event: 'proto_message', direction, connection, ...shown[detail] }, 'protocol message');
  };
};
