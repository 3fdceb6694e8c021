import { dlopen } from 'bun:ffi';

/**
 * Has this program hear Ctrl-C and Ctrl-Break on Windows, though it was started in a process group of its own: from such a one Windows
 * withholds Ctrl-C, and Wine both, until it says that it wants them. Does nothing on other systems.
 */
export const hearBreak = (): void => {
  if (process.platform !== 'win32') return;
  const { SetConsoleCtrlHandler } = dlopen('kernel32.dll', {
    SetConsoleCtrlHandler: { args: ['ptr', 'i32'], returns: 'i32' },
  }).symbols;
  SetConsoleCtrlHandler(null, 0);
};
