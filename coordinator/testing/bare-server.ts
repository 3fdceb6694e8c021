/** `bun coordinator/testing/bare-server.ts`: what HTTP on Bun costs without us. Prints its port, and answers everything alike. */
const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => Response.json({ ok: true }) });
process.stdout.write(`${server.port}\n`);

export {};
