const patience_ms = 60_000;

export type Message = Record<string, unknown>;

/**
 * A client of a signalling server that has read its `config`. `until` takes messages until one of that type comes; it fails
 * when the socket closes first or nothing comes within a minute.
 */
export const connectClient = async (url: string) => {
  const socket = new WebSocket(url);
  const arrived: Message[] = [];
  let wake = () => {};
  const closed = new Promise<void>((resolve) => {
    socket.addEventListener('close', () => {
      resolve();
      wake();
    });
  });
  socket.addEventListener('message', ({ data }) => {
    arrived.push(JSON.parse(data));
    wake();
  });
  const next = async (): Promise<Message> => {
    const deadline = performance.now() + patience_ms;
    for (;;) {
      const message = arrived.shift();
      if (message !== undefined) return message;
      if (socket.readyState === WebSocket.CLOSED) throw new Error('closed by the server');
      const left = deadline - performance.now();
      if (left <= 0) throw new Error('no message within a minute');
      let timer: Timer | undefined;
      await new Promise<void>((resolve) => {
        wake = resolve;
        timer = setTimeout(resolve, left);
      });
      clearTimeout(timer);
    }
  };
  const client = {
    closed,
    send: (message: Message | string | Uint8Array<ArrayBuffer>) =>
      socket.send(
        typeof message === 'string' || message instanceof Uint8Array ? message : JSON.stringify(message),
      ),
    async until(type: string): Promise<Message> {
      for (;;) {
        const message = await next();
        if (message.type === type) return message;
      }
    },
    async leave() {
      socket.close();
      await closed;
    },
  };
  await client.until('config');
  return client;
};
export type Client = Awaited<ReturnType<typeof connectClient>>;
