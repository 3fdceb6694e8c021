import { type Client, connect, type Json } from './live.ts';

/** What a page does once it is connected. */
export const manners = {
  /** 4.27, and later ones with BrowserSendOffer or OfferToReceive. */
  offers: (page: Client) => page.send({ type: 'offer', sdp: 'offer of the page' }),
  /** 5.0 and 5.1. */
  'is silent': () => {},
  /** 5.2 and later. */
  'lists and subscribes': (page: Client) => page.send({ type: 'listStreamers' }),
} as const satisfies Record<string, (page: Client) => void>;
export type Manner = keyof typeof manners;

/** `plays`: descriptions went both ways. What it was told when it was not to be. */
export type Outcome = 'plays' | 'subscribeFailed' | 'closed';

export interface OldPage {
  /** Everything that it was sent until its fate was clear. */
  readonly got: Json[];
  /** Its fate. */
  readonly outcome: Promise<Outcome>;
  readonly client: Client;
}

/** A page of some age at a player's address. */
export const oldPage = async (url: string, manner: Manner): Promise<OldPage> => {
  const client = await connect(url);
  const got: Json[] = [];
  const fate = async (): Promise<Outcome> => {
    for (;;) {
      const message = await client.json();
      got.push(message);
      switch (message.type) {
        case 'config':
          manners[manner](client);
          break;
        case 'streamerList':
          client.send({ type: 'subscribe', streamerId: String((message.ids as string[])[0]) });
          break;
        case 'offer':
          client.send({ type: 'answer', sdp: `answer to ${message.sdp}` });
          return 'plays';
        case 'answer':
          return 'plays';
        case 'subscribeFailed':
          return 'subscribeFailed';
      }
    }
  };
  return { got, client, outcome: Promise.race([fate(), client.closed.then(() => 'closed' as const)]) };
};
