/**
 * The command inside namespaces of its own for processes and mounts: when it ends, or this process does, however that happens, the
 * kernel ends everything that it has started, and takes the network namespaces away that it has made. Needs root, as the tests do.
 */
export const contained = (command: readonly string[]): string[] => [
  ...['setpriv', '--pdeathsig', 'KILL'],
  ...['unshare', '--pid', '--mount-proc', '--fork', '--kill-child', '--'],
  // The first process of the namespace has to reap the orphans of all others, which a shell does while it waits.
  ...['sh', '-c', 'mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns && "$@"; exit $?', 'sh'],
  ...command,
];
