import { z } from 'zod';
import { nearest } from '../../shared/nearest.ts';
import { styleNames } from './picture/style.ts';

/** The bounds of the picture; the encoder and the rasteriser need even sides. */
const picture_limits = { min_side: 64, max_width: 1920, max_height: 1080 } as const;

const DEFAULT_WIDTH = 1280;
const DEFAULT_HEIGHT = 720;

/** A whole number in range and even: a wrong ResX is corrected, not refused, as the engine does. */
const evenSide = (value: number, most: number): number =>
  Math.min(most, Math.max(picture_limits.min_side, Math.trunc(value))) & ~1;

/** The size that is really drawn for a wished one. */
export const pictureSize = (width: number, height: number): { width: number; height: number } => ({
  width: evenSide(width, picture_limits.max_width),
  height: evenSide(height, picture_limits.max_height),
});

const milliseconds = z.coerce.number().int().min(0).max(86_400_000).optional();
const side = (fallback: number) => z.coerce.number().finite().default(fallback);

const help = `demo-app: a stand-in for an Unreal Engine app with Pixel Streaming, for a first look and for tests

It takes Unreal's flags, in any case, and ignores those of Unreal that mean nothing to it:

  -PixelStreamingURL=URL   the signalling server; a session agent says it
  -PixelStreamingID=ID     the name of the streamer there
  -ResX=N -ResY=N          the size of the picture (default ${DEFAULT_WIDTH} x ${DEFAULT_HEIGHT})
  -DemoName=TEXT           the name in the corner
  -DemoStyle=NAME          ${styleNames.join(' or ')}
  -DemoCounters            time, frames and inputs on the picture, for whoever measures
  -DemoStartDelay=MS       take this long to start
  -DemoCrashAfter=MS, -DemoHangAfter=MS, -DemoExitCode=N, -DemoNeverRegister
                           fail in these ways
  --help, --version`;

/** What to print instead of running, when that is asked for. */
export const printed = (args: readonly string[], version: string): string | undefined => {
  const asked = (...words: string[]) => args.some((arg) => words.includes(arg));
  if (asked('--help', '-h') || args[0] === 'help') return help;
  return asked('--version', '-v') || args[0] === 'version' ? version : undefined;
};

/** Keyed by the lower-case flag: Unreal does not look at the case. */
const flagsSchema = z.object({
  pixelstreamingurl: z.url({ protocol: /^wss?$/ }).optional(),
  pixelstreamingconnectionurl: z.url({ protocol: /^wss?$/ }).optional(),
  pixelstreamingsignallingurl: z.url({ protocol: /^wss?$/ }).optional(),
  pixelstreamingid: z.string().min(1).max(128).default('DefaultStreamer'),
  resx: side(DEFAULT_WIDTH),
  resy: side(DEFAULT_HEIGHT),
  demoname: z.string().max(100).default('Vitrina demo'),
  demostyle: z.enum(styleNames).default('loft'),
  demostartdelay: milliseconds,
  democrashafter: milliseconds,
  demohangafter: milliseconds,
  demoexitcode: z.coerce.number().int().min(0).max(255).optional(),
  demoneverregister: z.string().optional(),
  democounters: z.string().optional(),
  demoengine: z.enum(['4.27', '5.0']).optional(),
});

export interface Flags {
  /** Undefined: connects nowhere, as PixelStreaming2 does without a URL. */
  url: string | undefined;
  streamerId: string;
  width: number;
  height: number;
  name: string;
  style: (typeof styleNames)[number];
  startDelayMs: number;
  crashAfterMs: number | undefined;
  hangAfterMs: number | undefined;
  exitCode: number | undefined;
  neverRegister: boolean;
  /** Time, frames and inputs on the picture, for whoever measures. */
  counters: boolean;
  /** Speaks to signalling as the plugin of that engine does; undefined: as Pixel Streaming 2. */
  engine: '4.27' | '5.0' | undefined;
}

/**
 * Reads Unreal's command line: `-Name=value`, names in any case, surrounding quotes dropped, Unreal's other flags ignored, the
 * last of a repeated flag wins. Throws an Error that names every bad flag.
 */
export const parseFlags = (args: readonly string[]): Flags => {
  const given: Record<string, string> = {};
  for (const arg of args) {
    const [, name, value] = /^-+([a-z0-9_]+)(?:=(.*))?$/is.exec(arg) ?? [];
    if (name !== undefined) given[name.toLowerCase()] = (value ?? '').replace(/^"(.*)"$/s, '$1');
  }
  const names = Object.keys(flagsSchema.shape);
  const strange = Object.keys(given).find((name) => name.startsWith('demo') && !names.includes(name));
  if (strange !== undefined) {
    const near = nearest(strange, names);
    throw new Error(
      `-${strange}: there is no such flag${near === undefined ? '' : `; did you mean -${near}?`}`,
    );
  }
  const parsed = flagsSchema.safeParse(given);
  if (!parsed.success) {
    throw new Error(
      parsed.error.issues.map((issue) => `-${issue.path.join('.')}: ${issue.message}`).join('; '),
    );
  }
  const flags = parsed.data;
  return {
    url: flags.pixelstreamingurl ?? flags.pixelstreamingconnectionurl ?? flags.pixelstreamingsignallingurl,
    streamerId: flags.pixelstreamingid,
    ...pictureSize(flags.resx, flags.resy),
    name: flags.demoname,
    style: flags.demostyle,
    startDelayMs: flags.demostartdelay ?? 0,
    crashAfterMs: flags.democrashafter,
    hangAfterMs: flags.demohangafter,
    exitCode: flags.demoexitcode,
    neverRegister: flags.demoneverregister !== undefined,
    counters: flags.democounters !== undefined,
    engine: flags.demoengine,
  };
};
