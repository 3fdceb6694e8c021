import type { Terminal } from './surroundings.ts';
import { screen } from './view.ts';

const redraw_ms = 1_000;

/** What is to be seen now. */
interface Look {
  lines: string[];
  well: boolean;
}

const alternate = '\u001b[?1049h\u001b[?25l';
const original = '\u001b[?25h\u001b[?1049l';
const home = '\u001b[H';
const rest_of_line = '\u001b[K';

/** Shows what `look` sees, anew each second, until "q" or Ctrl-C is pressed. */
export const monitor = (look: () => Promise<Look>, terminal: Terminal): Promise<void> =>
  new Promise((resolve, reject) => {
    let drawing = false;
    let over = false;
    const end = (error?: unknown) => {
      if (over) return;
      over = true;
      cancel();
      stopKeys();
      terminal.write(original);
      if (error === undefined) resolve();
      else reject(error);
    };
    const draw = async () => {
      const { lines, well } = await look();
      if (over) return;
      const { columns, rows } = terminal.size();
      const shown = screen([well ? 'all is well' : 'SOMETHING IS WRONG', ...lines], columns, rows);
      terminal.write(home + shown.map((line) => `${line}${rest_of_line}`).join('\r\n'));
    };
    const redraw = () => {
      if (drawing) return;
      drawing = true;
      draw()
        .catch(end)
        .finally(() => {
          drawing = false;
        });
    };
    const cancel = terminal.clock.every(redraw_ms, redraw);
    const stopKeys = terminal.keys((key) => {
      if (key === 'q' || key === '\u0003') end();
    });
    terminal.write(alternate);
    redraw();
  });
