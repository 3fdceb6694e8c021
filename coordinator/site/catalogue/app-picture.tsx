import type { JSX } from 'preact';
import { useId, useState } from 'preact/hooks';
import type { App } from '../../../shared/protocol/http.ts';
import { skyline_height, skyline_width, skylineOf } from './skyline.ts';

const Placeholder = ({ name }: { name: string }): JSX.Element => {
  const sky = useId();
  const { hue, sun, towers } = skylineOf(name);
  const shades = [`hsl(${hue} 22% 62%)`, `hsl(${hue} 26% 42%)`, `hsl(${hue} 30% 24%)`] as const;
  return (
    <svg
      class="picture"
      viewBox={`0 0 ${skyline_width} ${skyline_height}`}
      preserveAspectRatio="xMidYMax slice"
      aria-hidden="true"
    >
      <defs>
        <linearGradient id={sky} x1="0" y1="0" x2="0" y2="1">
          <stop offset="0" stop-color={`hsl(${hue} 34% 70%)`} />
          <stop offset="0.75" stop-color={`hsl(${(hue + 40) % 360} 46% 88%)`} />
        </linearGradient>
      </defs>
      <rect width={skyline_width} height={skyline_height} fill={`url(#${sky})`} />
      <circle cx={sun.x} cy={sun.y} r="17" fill="#fff6e4" opacity="0.85" />
      {towers.map(({ x, width, height, row, lit }) => (
        <g key={`${row}:${x}`} transform={`translate(${x} ${skyline_height - height})`}>
          <rect width={width} height={height} fill={shades[row]} />
          {lit.map(({ column, floor }) => (
            <rect
              key={`${column}:${floor}`}
              x={width * (0.16 + column * 0.26)}
              y={8 + floor * 14}
              width={width * 0.15}
              height="7"
              fill="#ffe3ab"
              opacity="0.85"
            />
          ))}
        </g>
      ))}
    </svg>
  );
};

/** The app's picture; while there is none, or it does not load, one drawn from its name. */
export const AppPicture = ({ app }: { app: Pick<App, 'name' | 'picture'> }): JSX.Element => {
  const [broken, setBroken] = useState<string>();
  if (app.picture === null || app.picture === broken) return <Placeholder name={app.name} />;
  const { picture } = app;
  return <img class="picture" src={picture} alt="" loading="lazy" onError={() => setBroken(picture)} />;
};
