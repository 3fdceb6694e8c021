import { closeSync, openSync, rmSync } from 'node:fs';

/**
 * Starts a program in a session of its own: it goes on whatever becomes of this program and its terminal. What it says goes to
 * the file, which is made anew. Its exit code. Throws what the operating system says when it cannot be started.
 */
export const runDetached = (command: [string, ...string[]], output_file: string): Promise<number> => {
  rmSync(output_file, { force: true });
  const fd = openSync(output_file, 'wx', 0o644);
  try {
    return Bun.spawn(command, {
      stdio: ['ignore', fd, fd],
      detached: true,
      windowsHide: true,
    }).exited;
  } finally {
    closeSync(fd);
  }
};
