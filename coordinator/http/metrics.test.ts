import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { hostsText } from '../fleet/metrics.ts';
import { isInsider } from '../kit/http-insider.ts';
import { createLagMeter, createMeters } from '../kit/meters.ts';
import { createHosts } from '../seats/hosts.ts';
import { capacityOf } from '../seats/rules-capacity.ts';
import { appUnderTest } from '../testing/app.ts';
import { host, newSession } from '../testing/domain.ts';
import { metricsRoutes } from './metrics.ts';

describe(`${metricsRoutes.name}()`, () => {
  test('metricsRoutes() shows the fleet, the requests and the refusals, in a form that Prometheus reads', async () => {
    const under = await appUnderTest();
    under.connect();
    await under.request('/api/v1/sessions', { method: 'POST', body: { app: 'Loft' } });
    await under.request('/api/v1/join', { method: 'POST', body: { code: 'abcd' } });
    const wrong = await under.request('/api/v1/join', { method: 'POST', body: { code: '9999' } });
    expect([...wrong.headers.keys()].filter((name) => name.startsWith('x-vitrina'))).toEqual([]);
    await under.request('/some/"path"\nof a stranger');
    await under.request('/api/v1/apps/Loft/picture');
    const response = await under.request('/metrics');
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const text = await response.text();
    const lines = text.trimEnd().split('\n');
    for (const line of [
      'coordinator_sessions{phase="assigned"} 1',
      'coordinator_sessions{phase="ready"} 0',
      'coordinator_participants 1',
      'coordinator_hosts_connected 1',
      'coordinator_seats 1',
      'coordinator_seats_free 0',
      'coordinator_sockets{kind="player"} 0',
      'coordinator_requests_total{route="/api/v1/sessions",method="POST",status="201"} 1',
      'coordinator_requests_total{route="/api/v1/join",method="POST",status="400"} 1',
      'coordinator_requests_total{route="/api/v1/apps/:name/picture",method="GET",status="404"} 1',
      'coordinator_requests_total{route="none",method="GET",status="404"} 1',
      'coordinator_request_duration_seconds_count{route="/api/v1/join",method="POST"} 2',
      'coordinator_request_duration_seconds_bucket{route="/api/v1/join",method="POST",le="+Inf"} 2',
      'coordinator_refusals_total{code="code_unknown"} 1',
      'coordinator_refusals_total{code="malformed"} 1',
      'coordinator_refusals_total{code="not_found"} 2',
      'coordinator_wrong_codes_total 1',
      'coordinator_relay_frames_total{direction="to_host"} 0',
      'coordinator_part_ok{part="database"} 1',
      'coordinator_event_loop_lag_seconds 0',
    ]) {
      expect(lines).toContain(line);
    }
    for (const line of lines) {
      expect(line).toMatch(/^(# (HELP|TYPE) .+|[a-z_]+(\{([a-z]+="[^"]*",?)+\})? [\d.e+-]+)$/);
    }
  });

  test('hostsText() shows the seats of each card and what hosts say of themselves, as far as they know', () => {
    const capacity = capacityOf(3, {
      cards: [
        { index: 0, seats: 1, vram_mb: null, encoders: null },
        { index: 2, seats: 2, vram_mb: null, encoders: null },
      ],
    });
    const card = { name: 'L4', encoder_percent: null, vram_used_mb: 3, vram_total_mb: 24_000 };
    const figures = {
      ...{ cpu_percent: 12.5, memory_used_mb: 1, memory_total_mb: null },
      cards: [{ ...card, index: 2, busy_percent: 40, temperature_c: 61 }],
    };
    const warm = [{ rc_name: 'Loft', card: 2, ready: 1 }];
    const hosts = createHosts();
    hosts.put(host('a', { seats: 3, capacity, figures, warm }));
    hosts.put(host('b', { lost_at: 1 }));
    hosts.occupy({ ...newSession(), host: 'a', seat: 2 });
    const lines = hostsText(hosts).join('\n').split('\n');
    expect(lines.filter((line) => !line.startsWith('#'))).toEqual([
      'coordinator_card_seats{host="a",card="0"} 1',
      'coordinator_card_seats{host="a",card="2"} 2',
      'coordinator_card_seats_used{host="a",card="0"} 0',
      'coordinator_card_seats_used{host="a",card="2"} 1',
      'coordinator_warm_instances{host="a",card="2",app="Loft"} 1',
      'coordinator_card_busy_percent{host="a",card="2"} 40',
      'coordinator_card_memory_used_bytes{host="a",card="2"} 3145728',
      'coordinator_card_memory_bytes{host="a",card="2"} 25165824000',
      'coordinator_card_temperature_celsius{host="a",card="2"} 61',
      'coordinator_host_cpu_percent{host="a"} 12.5',
      'coordinator_host_memory_used_bytes{host="a"} 1048576',
    ]);
  });

  test('metricsRoutes() shows exactly what docs/operations.md describes', async () => {
    const text = await (await (await appUnderTest()).request('/metrics')).text();
    const shown = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    const page = await Bun.file(join(import.meta.dir, '..', '..', 'docs', 'operations.md')).text();
    const [, section = ''] = page.split('\n## Metrics\n');
    const described = [...section.matchAll(/^\| `((?:coordinator|process)_\w+)`/gm)].map(([, name]) => name);
    expect(described.sort()).toEqual(shown.sort());
  });

  test('metricsRoutes() answers this machine only, and nobody through a proxy', async () => {
    const under = await appUnderTest();
    const status = async (socket: string, headers = {}) =>
      (await under.request('/metrics', { headers }, { socket })).status;
    expect(await status('127.0.0.1')).toBe(200);
    expect(await status('::1')).toBe(200);
    expect(await status('10.0.0.1')).toBe(404);
    expect(await status('127.0.0.1', { 'X-Forwarded-For': '127.0.0.1' })).toBe(404);
    expect(await status('::ffff:127.0.0.1')).toBe(200);
    for (const name of [
      ...[
        'X-Forwarded-For',
        'X-Forwarded-Proto',
        'X-Forwarded-Host',
        'X-Forwarded-Port',
        'X-Forwarded',
        'Forwarded',
      ],
      ...[
        'X-Real-IP',
        'Via',
        'CF-Connecting-IP',
        'CF-Ray',
        'True-Client-IP',
        'Fastly-Client-IP',
        'X-Client-IP',
      ],
      ...[
        'X-Cluster-Client-IP',
        'X-Original-Forwarded-For',
        'X-Envoy-External-Address',
        'Fly-Client-IP',
        'CDN-Loop',
      ],
      ...['X-Azure-ClientIP', 'X-Amzn-Trace-Id', 'DO-Connecting-IP', 'X-ProxyUser-Ip', 'Client-IP'],
      ...[
        'WL-Proxy-Client-IP',
        'X-Remote-IP',
        'X-HTTP-Forwarded-For',
        'Max-Forwards',
        'X-Scheme',
        'X-Varnish',
      ],
    ]) {
      for (const value of ['', '127.0.0.1'])
        expect([name, await status('127.0.0.1', { [name]: value })]).toEqual([name, 404]);
    }
    for (const name of [
      'Accept',
      'User-Agent',
      'X-Request-Id',
      'Traceparent',
      'X-Prometheus-Scrape-Timeout-Seconds',
    ]) {
      expect([name, await status('127.0.0.1', { [name]: 'x' })]).toEqual([name, 200]);
    }
  });

  test(`${isInsider.name}() keeps what is wrong with a part from those who may not see the metrics`, async () => {
    const under = await appUnderTest();
    under.state.stopping = true;
    const process = async (socket: string, headers = {}) => {
      const response = await under.request('/readyz', { headers }, { socket });
      const body = JSON.parse(await response.text());
      return [response.status, body.parts.process];
    };
    expect(await process('127.0.0.1')).toEqual([503, { ok: false, note: 'shutting down' }]);
    expect(await process('192.0.2.1')).toEqual([503, { ok: false }]);
    expect(await process('127.0.0.1', { Via: '1.1 proxy' })).toEqual([503, { ok: false }]);
  });

  test('metricsRoutes() answers whoever has the token of metrics_token_file, and nobody else', async () => {
    const under = await appUnderTest({ metrics_token_file: 'metrics.token' });
    const status = async (token: string | undefined) =>
      (await under.request('/metrics', { ...(token === undefined ? {} : { token }) })).status;
    expect(await status('')).toBe(404);
    under.store.secrets.set('metrics', 'the-token');
    expect([await status('the-token'), await status('the-tokem'), await status(undefined)]).toEqual([
      200, 404, 404,
    ]);
  });
});

describe('createLagMeter()', () => {
  test('createLagMeter() shows the longest lateness of the last minute', () => {
    const meters = createMeters();
    const tick = createLagMeter(meters, 1_000, 0);
    let now = 0;
    const after = (ms: number) => {
      now += ms;
      tick(now);
      return meters.lag_ms;
    };
    expect([after(1_000), after(1_250), after(900)]).toEqual([0, 250, 250]);
    for (let ticks = 0; ticks < 58; ticks++) expect(after(1_000)).toBe(250);
    expect(after(1_000)).toBe(0);
  });
});
