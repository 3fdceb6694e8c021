import { createServer } from 'node:net';
import { portRangeWithin } from './port-range.ts';

const hostname = '127.0.0.1';
/** The kernel gives connections their own ports from 32768 on: what is free there now may not be in a moment. */
const [lowest, span] = [30_000, 2_600];

const takesTcp = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: hostname, exclusive: true }, () => probe.close(() => resolve(true)));
  });

const takesUdp = async (port: number): Promise<boolean> => {
  try {
    (await Bun.udpSocket({ hostname, port })).close();
    return true;
  } catch {
    return false;
  }
};

const areFree = async (from: number, count: number): Promise<boolean> => {
  for (let port = from; port < from + count; port++) {
    if (!(await takesTcp(port)) || !(await takesUdp(port))) return false;
  }
  return true;
};

/**
 * The first of `count` ports in a row of this machine on which nobody listens, neither by TCP nor by UDP: for a program that must
 * be told its port, or finds it again when it is started again. What can choose its port listens on 0.
 */
export const freePorts = async (count = 1): Promise<number> => {
  for (;;) {
    const { from } = portRangeWithin(lowest, span, count);
    if (await areFree(from, count)) return from;
  }
};
