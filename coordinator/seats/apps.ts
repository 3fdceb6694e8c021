import type { App } from '../../shared/protocol/http.ts';
import { allHosts, drainingIn, type Seating } from './hosts.ts';
import { hostsOf, seatsFree, seatsOf } from './rules-allocation.ts';

/** The catalogue, with the seats that are there and free now. Bookings that come soon are not counted. */
export const listApps = (seating: Seating): App[] => {
  const all = allHosts(seating);
  const sessions = [...all.occupants()].filter(({ seat_held }) => seat_held);
  const draining = drainingIn(seating.catalogue.now());
  const free = seatsFree({ hosts: all, sessions, draining, holds: [], now: seating.clock.now() });
  return [...seating.catalogue.now().apps.values()]
    .filter(({ enabled }) => enabled)
    .map((app) => {
      const { name, title, description, picture, hosts } = app;
      const able = hostsOf(name, hosts, all);
      return {
        name,
        title,
        description,
        picture: picture === null ? null : `/api/v1/apps/${encodeURIComponent(name)}/picture`,
        seats: able.reduce((sum, host) => sum + seatsOf(name, host, draining(host.name)), 0),
        seats_free: free(name, able),
        default_minutes: app.default_minutes,
        max_minutes: app.max_minutes,
        who_may_start: app.who_may_start,
        lobby: app.lobby,
      };
    });
};
