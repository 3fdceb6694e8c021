import { type Admission, signAdmission } from '../../shared/admission.ts';
import { ChannelEnd, type Leg } from '../../shared/channel-end.ts';
import { type Clock, systemClock } from '../../shared/clock.ts';
import { type Json, withPatience } from './live.ts';

export const secret = 'between agent and signalling';

/** The query of an admission that is good for a minute. */
export const admitted = (admission: Partial<Admission>, clock: Clock = systemClock): string =>
  `?token=${signAdmission({ participant: 'p', ice_servers: [], expires: clock.now() + 60_000, ...admission }, secret)}`;

/** A page that numbers what it says, whose sockets come and go. */
export interface NumberedPage {
  /** Opens a socket there; resolves when both ends have found each other, or the channel is over. */
  dial(url: string): Promise<void>;
  /** Drops the socket without a word, as an agent does that is killed. */
  cut(): void;
  say(message: Json | string): void;
  /** The next message of that type. */
  hear(type: string): Promise<Json>;
  /** The next text frame, which is for the agent. */
  told(): Promise<string>;
  /** With what the channel ended. */
  readonly over: Promise<number>;
}

export const numberedPage = (): NumberedPage => {
  const heard: Json[] = [];
  const told: string[] = [];
  const looks = new Set<() => void>();
  const changed = () => {
    for (const look of [...looks]) look();
  };
  const until = <T>(what: string, find: () => T | undefined): Promise<T> =>
    withPatience(
      what,
      new Promise<T>((resolve) => {
        const look = () => {
          const found = find();
          if (found === undefined) return;
          looks.delete(look);
          resolve(found);
        };
        looks.add(look);
        look();
      }),
    );
  const over = Promise.withResolvers<number>();
  const end: ChannelEnd = new ChannelEnd('page', systemClock, {
    text(text) {
      heard.push(JSON.parse(text));
      changed();
    },
    over(code) {
      over.resolve(code);
      changed();
    },
  });
  let socket: WebSocket | undefined;
  let gone = () => {};
  return {
    told: () => until('a word for the agent', () => told.shift()),
    over: over.promise,
    async dial(url) {
      const mine = new WebSocket(url);
      mine.binaryType = 'arraybuffer';
      socket = mine;
      const leg: Leg = {
        send(frame) {
          mine.send(frame);
          return true;
        },
        drop: (why) => mine.close(4000, why),
      };
      gone = () => end.detach(leg);
      mine.onopen = () => end.attach(leg);
      mine.onmessage = ({ data }) => {
        if (typeof data === 'string') told.push(data);
        else end.frame(leg, new Uint8Array(data));
        changed();
      };
      mine.onclose = () => {
        end.detach(leg);
        changed();
      };
      let refused = false;
      mine.onerror = () => {
        refused = true;
        changed();
      };
      await until('a leg', () => (end.attached && mine === socket) || end.isOver || refused || undefined);
      if (refused) throw new Error('not let in');
    },
    cut() {
      gone();
      socket?.terminate();
    },
    say: (message) => end.say(typeof message === 'string' ? message : JSON.stringify(message)),
    hear: (type) =>
      until(`${type} on the channel`, () => {
        const at = heard.findIndex((message) => message.type === type);
        return at < 0 ? undefined : heard.splice(at, 1)[0];
      }),
  };
};
