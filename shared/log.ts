import pino from 'pino';

/** A logger with pino's methods: `log.info({ session }, 'session started')`. */
export type Log = pino.Logger;

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Fields that never reach a log line, at the top level or one level down. */
const secretFields = [
  'key',
  'token',
  'participant_token',
  'ticket',
  'signalling_url',
  'code',
  'secret',
  'password',
  'credential',
  'authorization',
  'cookie',
];

/** An error with its `code` as `error_code`: a field named code is a session's code and never reaches a line. */
const serializeError = (error: unknown) => {
  if (!(error instanceof Error)) return error;
  const { code, ...rest } = pino.stdSerializers.err(error);
  return code === undefined ? rest : { ...rest, error_code: code };
};

/** A second place for the lines, with a level of its own. */
export interface LogCopy {
  level: LogLevel;
  write(line: string): void;
}

/** The level that lets through what either of the two lets through. */
const lower = (a: LogLevel, b: LogLevel): LogLevel => (logLevels.indexOf(a) < logLevels.indexOf(b) ? a : b);

/** Lines that wait while standard output, a file on a full disk for one, takes none; further ones are lost. */
const WAITING_BYTES = 1024 * 1024;

/** Where lines go, by file descriptor. One that cannot be written is no reason to end the program: the lines wait. */
export const logDestination = (fd: number): pino.DestinationStream => {
  const destination = pino.destination({ fd, sync: true, maxLength: WAITING_BYTES });
  destination.on('error', () => {});
  return destination;
};

/**
 * JSON lines on standard output (or `destination`), secrets replaced by "[secret]"; into `copy` as well, if there is one.
 * The agent and the coordinator fork it per session with `log.child({ session })`.
 */
export const createLog = (
  program: string,
  level: LogLevel = 'info',
  destination: pino.DestinationStream = logDestination(1),
  copy?: LogCopy,
): Log =>
  pino(
    {
      base: { program },
      level: copy === undefined ? level : lower(level, copy.level),
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretFields.flatMap((field) => [field, `*.${field}`]), censor: '[secret]' },
      serializers: { error: serializeError },
    },
    copy === undefined
      ? destination
      : pino.multistream([
          { level, stream: destination },
          { level: copy.level, stream: copy },
        ]),
  );

/** A logger that writes nothing, for tests. */
export const silentLog: Log = pino({ level: 'silent' });
