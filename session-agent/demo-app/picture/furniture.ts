import { type Box, box } from './geometry.ts';
import type { Material } from './style.ts';

type Furniture = Box<Material>[];

const legs = (
  material: Material,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  top: number,
  thick = 0.05,
): Furniture =>
  [
    [x0, y0],
    [x1 - thick, y0],
    [x0, y1 - thick],
    [x1 - thick, y1 - thick],
  ].map(([x = 0, y = 0]) => box(material, x, y, 0, x + thick, y + thick, top));

const table = (x0: number, y0: number, x1: number, y1: number, height: number): Furniture => [
  box('wood', x0, y0, height - 0.05, x1, y1, height),
  ...legs('metal', x0 + 0.06, y0 + 0.06, x1 - 0.06, y1 - 0.06, height - 0.05),
];

/** `back` is the y offset of the backrest from the seat's south edge. */
const chair = (x: number, y: number, back: number): Furniture => [
  box('wood', x, y, 0.43, x + 0.42, y + 0.42, 0.47),
  ...legs('metal', x + 0.01, y + 0.01, x + 0.41, y + 0.41, 0.43, 0.035),
  box('wood', x, y + back, 0.6, x + 0.42, y + back + 0.03, 0.92),
  box('metal', x + 0.02, y + back, 0.47, x + 0.05, y + back + 0.03, 0.6),
  box('metal', x + 0.37, y + back, 0.47, x + 0.4, y + back + 0.03, 0.6),
];

const livingRoom: Furniture = [
  box('rug', 1.3, 0.9, 0, 4.5, 3.3, 0.012),
  // Sofa along the west part, facing east.
  box('fabric', 0.35, 1.05, 0.1, 1.3, 3.45, 0.42),
  box('fabric', 0.35, 1.05, 0.42, 0.62, 3.45, 0.82),
  box('fabric', 0.35, 0.85, 0.1, 1.3, 1.06, 0.6),
  box('fabric', 0.35, 3.44, 0.1, 1.3, 3.65, 0.6),
  box('cushion', 0.62, 1.15, 0.42, 0.8, 1.6, 0.78),
  box('cushion', 0.62, 2.9, 0.42, 0.8, 3.35, 0.78),
  ...table(2.1, 1.6, 2.9, 2.8, 0.4),
  box('books', 2.3, 1.8, 0.4, 2.55, 2.1, 0.47),
  box('accent', 2.5, 2.35, 0.4, 2.62, 2.47, 0.6),
  // Low board with the screen, against the inner wall.
  box('wood', 5.72, 0.7, 0.12, 6.2, 2.7, 0.5),
  box('metal', 5.78, 0.8, 0, 6.15, 2.6, 0.12),
  box('metal', 6.1, 1.0, 0.72, 6.2, 2.4, 1.56),
  box('screen', 6.09, 1.04, 0.76, 6.1, 2.36, 1.52),
  // Armchair, back to the door.
  box('cushion', 3.9, 2.9, 0.14, 4.7, 3.7, 0.42),
  box('cushion', 3.9, 3.55, 0.42, 4.7, 3.75, 0.85),
  box('cushion', 3.84, 2.9, 0.14, 3.96, 3.75, 0.58),
  box('cushion', 4.64, 2.9, 0.14, 4.76, 3.75, 0.58),
  // Pictures.
  box('art', 0.35, 4.57, 1.2, 1.55, 4.6, 2.0),
  box('poster', 6.17, 0.15, 1.2, 6.2, 0.6, 1.85),
  // Standing lamp.
  box('metal', 0.3, 4.0, 0, 0.56, 4.26, 0.03),
  box('metal', 0.415, 4.115, 0.03, 0.445, 4.145, 1.45),
];

const kitchen: Furniture = [
  // Worktop along the north wall, wall units beside the window.
  box('unit', 0.0, 7.4, 0.1, 4.6, 8.0, 0.88),
  box('metal', 0.05, 7.5, 0, 4.55, 8.0, 0.1),
  box('worktop', 0.0, 7.36, 0.88, 4.62, 8.0, 0.92),
  box('unit', 4.65, 7.3, 0, 5.35, 8.0, 2.1),
  box('unit', 0.0, 7.65, 1.45, 1.1, 8.0, 2.25),
  box('metal', 2.2, 7.8, 0.92, 2.24, 7.84, 1.22),
  box('metal', 2.2, 7.6, 1.2, 2.24, 7.84, 1.23),
  box('metal', 3.3, 7.45, 0.92, 3.95, 7.92, 0.93),
  ...table(2.2, 5.35, 4.2, 6.25, 0.75),
  ...chair(2.45, 4.98, 0),
  ...chair(3.45, 4.98, 0),
  ...chair(2.45, 6.2, 0.39),
  ...chair(3.45, 6.2, 0.39),
  box('accent', 3.1, 5.7, 0.75, 3.32, 5.92, 0.83),
];

const bedroom: Furniture = [
  box('rug', 6.9, 1.0, 0, 9.5, 3.9, 0.012),
  box('wood', 7.9, 1.3, 0.08, 10, 3.1, 0.3),
  box('linen', 7.92, 1.32, 0.3, 9.98, 3.08, 0.52),
  box('cushion', 7.9, 1.3, 0.3, 9.1, 3.1, 0.56),
  box('linen', 9.35, 1.4, 0.52, 9.85, 2.15, 0.66),
  box('linen', 9.35, 2.25, 0.52, 9.85, 3.0, 0.66),
  box('wood', 9.9, 1.25, 0.3, 10, 3.15, 1.05),
  box('wood', 9.55, 0.75, 0, 10, 1.15, 0.5),
  box('unit', 8.6, 3.95, 0, 10, 4.6, 2.25),
  box('art', 6.34, 1.3, 1.2, 6.37, 2.5, 2.0),
];

const study: Furniture = [
  ...table(8.2, 7.25, 9.8, 7.98, 0.74),
  box('metal', 8.75, 7.75, 0.76, 9.35, 7.78, 1.16),
  box('screen', 8.77, 7.745, 0.78, 9.33, 7.75, 1.14),
  box('metal', 9.0, 7.74, 0.74, 9.1, 7.8, 0.78),
  ...chair(8.85, 6.75, 0),
  // Shelves against the south wall of the room.
  box('wood', 8.5, 4.74, 0, 8.54, 5.06, 2.1),
  box('wood', 9.92, 4.74, 0, 9.96, 5.06, 2.1),
  ...[0.06, 0.46, 0.86, 1.26, 1.66, 2.06].map((z) => box('wood', 8.54, 4.74, z, 9.92, 5.06, z + 0.03)),
  ...[0.09, 0.49, 0.89, 1.29, 1.69].map((z, i) =>
    box('books', 8.56, 4.76, z, 9.9 - 0.17 * i, 4.98, z + 0.28),
  ),
  box('poster', 6.34, 6.6, 1.1, 6.37, 7.3, 2.0),
];

/** Pots; the leaves above them are flat cut-outs made by the scene. */
export const plants: readonly { x: number; y: number; pot: number; leaves: number }[] = [
  { x: 5.75, y: 0.35, pot: 0.4, leaves: 1.15 },
  { x: 0.4, y: 0.4, pot: 0.35, leaves: 0.9 },
  { x: 5.8, y: 4.2, pot: 0.45, leaves: 1.25 },
  { x: 5.8, y: 7.6, pot: 0.4, leaves: 1.0 },
  { x: 6.7, y: 0.4, pot: 0.4, leaves: 1.1 },
  { x: 6.75, y: 7.6, pot: 0.45, leaves: 1.2 },
];

const pots: Furniture = plants.map(({ x, y, pot }) =>
  box('pot', x - pot * 0.4, y - pot * 0.4, 0, x + pot * 0.4, y + pot * 0.4, pot),
);

/** Lamps: where the light comes from, and the glowing body around it, which casts no shadow. */
export const lamps: readonly {
  x: number;
  y: number;
  z: number;
  size: number;
  height: number;
  hangs: boolean;
}[] = [
  { x: 2.9, y: 2.2, z: 2.2, size: 0.5, height: 0.14, hangs: true },
  { x: 0.43, y: 4.13, z: 1.58, size: 0.34, height: 0.28, hangs: false },
  { x: 2.7, y: 5.8, z: 1.85, size: 0.26, height: 0.2, hangs: true },
  { x: 3.7, y: 5.8, z: 1.85, size: 0.26, height: 0.2, hangs: true },
  { x: 8.2, y: 2.2, z: 2.3, size: 0.5, height: 0.14, hangs: true },
  { x: 8.2, y: 6.3, z: 2.3, size: 0.5, height: 0.14, hangs: true },
];

/** What stands in the flat and throws a shadow. */
export const furniture: Furniture = [...livingRoom, ...kitchen, ...bedroom, ...study, ...pots];
