import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

/** The addresses of this machine's network interfaces; none when the machine does not tell of them. */
export const ownAddresses = (look = networkInterfaces): NetworkInterfaceInfo[] => {
  try {
    return Object.values(look()).flatMap((addresses) => addresses ?? []);
  } catch {
    // Where to listen and what to print have an answer without them.
    return [];
  }
};
