/**
 * `bun coordinator/testing/socket-holder.ts URL COUNT`: opens so many WebSockets, says "open" and how many are open on a
 * line, and keeps them until it is killed.
 */
const [url = '', count = '0'] = process.argv.slice(2);
/** Handshakes under way at a time. */
const at_once = 100;

const sockets: WebSocket[] = [];
const open = (): Promise<boolean> => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = new WebSocket(url);
  socket.onopen = () => resolve(true);
  socket.onclose = () => resolve(false);
  socket.onerror = () => resolve(false);
  sockets.push(socket);
  return promise;
};

let opened = 0;
while (sockets.length < Number(count)) {
  const some = Array.from({ length: Math.min(at_once, Number(count) - sockets.length) }, open);
  opened += (await Promise.all(some)).filter(Boolean).length;
}
process.stdout.write(`open ${opened}\n`);
setInterval(() => sockets.length, 60_000);

export {};
