export type Labels = Readonly<Record<string, string>>;

/** One number of a counter. */
export interface Cell {
  value: number;
}

/** A number that only grows, told apart by labels. The labels' values come from short lists, never from a stranger. */
export interface Counter {
  /** The number for these labels: kept, it is the cheapest way to count often. */
  of(labels?: Labels): Cell;
  count(labels?: Labels): void;
  text(): string;
}

/** How often a value was how large. */
export interface Histogram {
  observe(value: number, labels?: Labels): void;
  text(): string;
}

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

const labelText = (labels: Labels): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
};

/** One metric in Prometheus' text format 0.0.4, without the newline at its end. */
const section = (
  name: string,
  kind: 'counter' | 'gauge' | 'histogram',
  help: string,
  lines: Iterable<string>,
): string => [`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`, ...lines].join('\n');

export const createCounter = (name: string, help: string): Counter => {
  const cells = new Map<string, Cell>();
  const of = (labels: Labels = {}): Cell => {
    const key = labelText(labels);
    const cell = cells.get(key) ?? { value: 0 };
    cells.set(key, cell);
    return cell;
  };
  return {
    of,
    count(labels) {
      of(labels).value += 1;
    },
    text: () =>
      section(
        name,
        'counter',
        help,
        [...cells].map(([labels, { value }]) => `${name}${labels} ${value}`),
      ),
  };
};

/** `bounds` are the upper ends of the buckets, rising. */
export const createHistogram = (name: string, help: string, bounds: readonly number[]): Histogram => {
  const rows = new Map<string, { labels: Labels; counts: number[]; sum: number }>();
  const lines = ({ labels, counts, sum }: { labels: Labels; counts: number[]; sum: number }): string[] => {
    let below = 0;
    const buckets = [...bounds, Number.POSITIVE_INFINITY].map((bound, at) => {
      below += counts[at] ?? 0;
      const le = bound === Number.POSITIVE_INFINITY ? '+Inf' : String(bound);
      return `${name}_bucket${labelText({ ...labels, le })} ${below}`;
    });
    return [
      ...buckets,
      `${name}_sum${labelText(labels)} ${sum}`,
      `${name}_count${labelText(labels)} ${below}`,
    ];
  };
  return {
    observe(value, labels = {}) {
      const key = labelText(labels);
      const row = rows.get(key) ?? { labels, counts: Array<number>(bounds.length + 1).fill(0), sum: 0 };
      rows.set(key, row);
      const at = bounds.findIndex((bound) => value <= bound);
      const bucket = at < 0 ? bounds.length : at;
      row.counts[bucket] = (row.counts[bucket] ?? 0) + 1;
      row.sum += value;
    },
    text: () => section(name, 'histogram', help, [...rows.values()].flatMap(lines)),
  };
};

/** A number as it is now, or several told apart by labels. */
export const gaugeText = (
  name: string,
  help: string,
  now: number | Iterable<readonly [labels: Labels, value: number]>,
): string => {
  const samples = typeof now === 'number' ? [[{}, now] as const] : [...now];
  return section(
    name,
    'gauge',
    help,
    samples.map(([labels, value]) => `${name}${labelText(labels)} ${value}`),
  );
};

/** What every program shows of its own process. */
export const processText = (): string[] => {
  const { user, system } = process.cpuUsage();
  return [
    gaugeText('process_resident_memory_bytes', 'Memory in use.', process.memoryUsage.rss()),
    gaugeText('process_cpu_seconds', 'Processor time used.', (user + system) / 1e6),
  ];
};

/** The page that Prometheus reads. */
export const metricsPage = (sections: readonly string[]): string => `${sections.join('\n')}\n`;

export const metricsType = 'text/plain; version=0.0.4; charset=utf-8';
