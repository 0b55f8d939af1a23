// Things are made of solids: boxes, ellipsoids and (tapered) cylinders, each an affine image of a solid that
// fills the cube [-1, 1]^3. Metres, z up. A model stands on z = 0 around the origin, its front towards -y and
// its back, which goes against a wall, towards +y.
import { NYUD_CLASSES } from '../../folders/nyud.js';
import type { Material } from './materials.js';

export type Vector = readonly [number, number, number];
export type ClassName = (typeof NYUD_CLASSES)[number];

/** Rows of a 3x4 matrix: linear part and translation. */
export type Transform = readonly number[];

export type Shape = 'box' | 'ellipsoid' | 'cylinder';

export interface Part {
  shape: Shape;
  /** From the cube [-1, 1]^3 to the model, or to the room once placed. */
  transform: Transform;
  /** Radius of a cylinder's top, in units of its bottom. */
  taper: number;
  /** Class index. */
  label: number;
  material: Material;
  /** Texture coordinates of a cube point p are half * p + offset, in metres. */
  half: Vector;
  offset: Vector;
  /** Name of the VOC class of the model it belongs to, if it has one. */
  voc?: string;
  /** PASCAL-Part's name for this piece of a person. */
  piece?: string;
  /** Which of the things put into a room it belongs to. */
  thing?: number;
}

export interface PartOptions {
  /** PASCAL-Part's name for this piece of a person. */
  piece?: string;
  /** Class, if it is not the model's. */
  as?: ClassName;
  taper?: number;
  /** Degrees about the x, then the y, then the z axis through the middle of the part's bottom. */
  turn?: Vector;
  /** The pattern's origin is the middle of this part, not of the model. */
  centred?: boolean;
}

export class Model {
  readonly parts: Part[] = [];
  /** VOC class of the parts that are added from here on. */
  voc?: string;

  /** @param size width, depth and height: what is kept free of other things */
  constructor(
    readonly label: ClassName,
    readonly size: Vector,
  ) {}

  /** `at` is the middle of the bottom, `size` the extent in x, y and z before turning. */
  box(at: Vector, size: Vector, material: Material, options?: PartOptions): this {
    return this.#part('box', at, size, material, options);
  }

  ellipsoid(at: Vector, size: Vector, material: Material, options?: PartOptions): this {
    return this.#part('ellipsoid', at, size, material, options);
  }

  /** Upright unless turned. */
  cylinder(at: Vector, size: Vector, material: Material, options?: PartOptions): this {
    return this.#part('cylinder', at, size, material, options);
  }

  /** A round bar from `a` to `b` with these radii at its ends. */
  limb(a: Vector, b: Vector, radii: readonly [number, number], material: Material, piece?: string): this {
    const along: Vector = [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
    const length = Math.hypot(...along);
    const [ax, ay, az] = along.map((d) => d / length);
    // Any two directions across.
    const level = Math.hypot(ax, ay);
    const [ux, uy] = level > 1e-6 ? [-ay / level, ax / level] : [1, 0];
    const across: Vector = [-az * uy, az * ux, ax * uy - ay * ux];
    const [r] = radii;
    const transform = [
      r * ux,
      r * across[0],
      along[0] / 2,
      (a[0] + b[0]) / 2,
      r * uy,
      r * across[1],
      along[1] / 2,
      (a[1] + b[1]) / 2,
      0,
      r * across[2],
      along[2] / 2,
      (a[2] + b[2]) / 2,
    ];
    const half: Vector = [r, r, length / 2];
    const taper = radii[1] / r;
    return this.#push({ shape: 'cylinder', transform, taper, material, half, offset: [0, 0, 0], piece });
  }

  /** A ball of this radius around `at`. */
  ball(at: Vector, radius: number, material: Material, piece?: string): this {
    const size: Vector = [2 * radius, 2 * radius, 2 * radius];
    return this.ellipsoid([at[0], at[1], at[2] - radius], size, material, { piece });
  }

  /** Puts another model into this one. */
  add(model: Model, at: Vector, yaw = 0): this {
    this.parts.push(...placed(model, at, yaw));
    return this;
  }

  #part(shape: Shape, at: Vector, size: Vector, material: Material, options: PartOptions = {}): this {
    const half: Vector = [size[0] / 2, size[1] / 2, size[2] / 2];
    const raised = [half[0], 0, 0, 0, 0, half[1], 0, 0, 0, 0, half[2], half[2]];
    return this.#push(
      {
        shape,
        transform: compose(rigid(at, options.turn ?? [0, 0, 0]), raised),
        taper: options.taper ?? 1,
        material,
        half,
        offset: options.centred ? [0, 0, 0] : [at[0], at[1], at[2] + half[2]],
        piece: options.piece,
      },
      options.as,
    );
  }

  #push(part: Omit<Part, 'label'>, as: ClassName = this.label): this {
    this.parts.push({ ...part, label: NYUD_CLASSES.indexOf(as), voc: this.voc });
    return this;
  }
}

/** The parts of a model standing at `at`, turned by `yaw` degrees counter-clockwise seen from above. */
export function placed(model: Model, at: Vector, yaw: number, thing?: number): Part[] {
  const frame = rigid(at, [0, 0, yaw]);
  return model.parts.map((part) => ({ ...part, thing, transform: compose(frame, part.transform) }));
}

function rigid([x, y, z]: Vector, [rx, ry, rz]: Vector): Transform {
  const [cx, sx, cy, sy, cz, sz] = [rx, ry, rz].flatMap((degrees) => {
    const angle = (degrees * Math.PI) / 180;
    return [Math.cos(angle), Math.sin(angle)];
  });
  return [
    cz * cy,
    cz * sy * sx - sz * cx,
    cz * sy * cx + sz * sx,
    x,
    sz * cy,
    sz * sy * sx + cz * cx,
    sz * sy * cx - cz * sx,
    y,
    -sy,
    cy * sx,
    cy * cx,
    z,
  ];
}

/** First `b`, then `a`. */
function compose(a: Transform, b: Transform): Transform {
  const out = new Array<number>(12);
  for (let row = 0; row < 12; row += 4)
    for (let column = 0; column < 4; column++)
      out[row + column] =
        a[row] * b[column] +
        a[row + 1] * b[4 + column] +
        a[row + 2] * b[8 + column] +
        (column === 3 ? a[row + 3] : 0);
  return out;
}

export function invert(m: Transform): Transform {
  const [a, b, c, x, d, e, f, y, g, h, i, z] = m;
  const [A, B, C] = [e * i - f * h, c * h - b * i, b * f - c * e];
  const [D, E, F] = [f * g - d * i, a * i - c * g, c * d - a * f];
  const [G, H, I] = [d * h - e * g, b * g - a * h, a * e - b * d];
  const scale = 1 / (a * A + b * D + c * G);
  const rows = [
    [A, B, C],
    [D, E, F],
    [G, H, I],
  ];
  return rows.flatMap(([p, q, r]) => [p * scale, q * scale, r * scale, -(p * x + q * y + r * z) * scale]);
}
