// Materials of one room. Some are drawn once and used all over the room (its wood, its metal, its cloth), so
// that a class cannot be told by its colour: a bed, a door and the floor may share one wood.
import type { Dice } from '../dice.js';
import type { Material, Pattern, Rgb } from '../tracer/materials.js';
import type { Model } from '../tracer/solids.js';

/** Hue in degrees, saturation and value of the sRGB colour, as linear RGB. */
export function hsv(hue: number, saturation: number, value: number): Rgb {
  const channel = (n: number) => {
    const k = (n + hue / 60) % 6;
    const srgb = value * (1 - saturation * Math.max(0, Math.min(k, 4 - k, 1)));
    return srgb ** 2.2;
  };
  return [channel(5), channel(3), channel(1)];
}

const WHITE: Rgb = [0.8, 0.8, 0.78];

export class Style {
  readonly wood: Material;
  readonly metal: Material;
  readonly cloth: Material;
  /** Varnish or paint that cabinets and doors of this room share. */
  readonly joinery: Material;

  /** @param people makes the people of this room, instead of the simple ones that only stand about */
  constructor(
    readonly dice: Dice,
    readonly people?: (style: Style) => Model,
  ) {
    this.wood = this.#wood();
    this.metal = this.#metal();
    this.cloth = this.fabric();
    this.joinery = dice.chance(0.5) ? this.wood : this.paint();
  }

  make(pattern: Pattern, colour: Rgb, second: Rgb, scale: number, gloss = 0, glow = 0): Material {
    return { pattern, colour, second, scale, gloss, glow, seed: this.dice.integer(0, 1 << 20) };
  }

  #wood(): Material {
    const { dice } = this;
    const [hue, saturation] = [dice.range(14, 38), dice.range(0.25, 0.68)];
    const value = dice.range(0.22, 0.85);
    const light = hsv(hue, saturation, value);
    const dark = hsv(hue - 3, Math.min(1, saturation * 1.1), value * dice.range(0.78, 0.93));
    return this.make('wood', light, dark, dice.range(0.03, 0.09), dice.range(0, 0.3));
  }

  #metal(): Material {
    const value = this.dice.range(0.25, 0.75);
    return this.make('plain', hsv(this.dice.range(30, 230), 0.06, value), WHITE, 1, 0.9);
  }

  /** The room's wood, or sometimes another, a paint or a veneer. */
  surface(): Material {
    const { dice } = this;
    const roll = dice.range(0, 1);
    if (roll < 0.5) return this.wood;
    if (roll < 0.7) return this.#wood();
    if (roll < 0.85) return this.joinery;
    return this.paint();
  }

  paint(): Material {
    const { dice } = this;
    const pale = dice.chance(0.75);
    const saturation = pale ? dice.range(0, 0.12) : dice.range(0.1, 0.45);
    const value = pale ? dice.range(0.72, 0.97) : dice.range(0.2, 0.85);
    const colour = hsv(dice.range(0, 360), saturation, value);
    return this.make('plain', colour, colour, 1, dice.range(0, 0.35));
  }

  fabric(): Material {
    const { dice } = this;
    const hue = dice.range(0, 360);
    const colour = hsv(hue, dice.range(0.02, 0.55), dice.range(0.18, 0.92));
    const other = dice.chance(0.5) ? dice.range(0, 360) : hue + dice.range(-25, 25) + 360;
    const second = hsv(other % 360, dice.range(0.02, 0.5), dice.range(0.25, 0.95));
    const pattern = dice.pick(['carpet', 'carpet', 'carpet', 'stripes', 'plaid', 'flowers'] as const);
    const scale = pattern === 'carpet' ? dice.range(0.3, 1.2) : dice.range(0.06, 0.24);
    // Plain cloth differs little from fold to fold.
    return this.make(pattern, colour, pattern === 'carpet' ? scaled(colour, 0.8) : second, scale);
  }

  /** The room's cloth or another. */
  upholstery(): Material {
    if (this.dice.chance(0.3)) return this.cloth;
    return this.dice.chance(0.25) ? this.leather() : this.fabric();
  }

  leather(): Material {
    const { dice } = this;
    const colour = hsv(dice.range(5, 35), dice.range(0.1, 0.7), dice.range(0.1, 0.6));
    return this.make('plaster', colour, colour, 1, 0.45);
  }

  plastic(): Material {
    const { dice } = this;
    const colour = hsv(dice.range(0, 360), dice.range(0, 0.6), dice.range(0.1, 0.95));
    return this.make('plain', colour, colour, 1, 0.6);
  }

  /** Nearly black or nearly white, as of appliances. */
  enamel(): Material {
    const { dice } = this;
    const colour = hsv(
      dice.range(0, 360),
      dice.range(0, 0.06),
      dice.chance(0.75) ? dice.range(0.8, 0.98) : 0.12,
    );
    return this.make('plain', colour, colour, 1, 0.7);
  }

  dark(): Material {
    const colour = hsv(this.dice.range(0, 360), 0.1, this.dice.range(0.04, 0.16));
    return this.make('plain', colour, colour, 1, 0.8);
  }

  porcelain(): Material {
    const { dice } = this;
    const colour = hsv(dice.range(30, 60), dice.range(0, 0.12), dice.range(0.82, 0.97));
    return this.make('plain', colour, colour, 1, 0.8);
  }

  cardboard(): Material {
    const { dice } = this;
    const colour = hsv(dice.range(24, 36), dice.range(0.3, 0.5), dice.range(0.5, 0.75));
    return this.make('plaster', colour, colour, 1);
  }

  stone(): Material {
    const { dice } = this;
    const colour = hsv(dice.range(0, 360), dice.range(0, 0.15), dice.range(0.2, 0.9));
    return this.make('marble', colour, scaled(colour, dice.range(0.5, 1.3)), dice.range(0.05, 0.4), 0.6);
  }

  paper(): Material {
    const ink = hsv(this.dice.range(0, 360), 0.5, 0.2);
    return this.make('print', WHITE, ink, this.dice.range(0.015, 0.04));
  }

  /** A canvas of this half width, in metres. */
  painting(halfWidth: number): Material {
    const { dice } = this;
    const colour = hsv(dice.range(0, 360), dice.range(0.1, 0.7), dice.range(0.4, 0.95));
    const second = hsv(dice.range(0, 360), dice.range(0.1, 0.8), dice.range(0.2, 0.9));
    return this.make('painting', colour, second, halfWidth, 0.1);
  }

  /** Walls: plaster most of the time, now and then striped or flowered paper, tiles or brick. */
  walls(wet: boolean): Material {
    const { dice } = this;
    const colour = hsv(
      dice.range(0, 360),
      dice.chance(0.75) ? dice.range(0, 0.14) : dice.range(0.12, 0.35),
      dice.range(0.55, 0.95),
    );
    const shade = scaled(colour, dice.range(0.75, 0.95));
    if (wet && dice.chance(0.6)) return this.make('tiles', colour, WHITE, dice.range(0.1, 0.25), 0.5);
    const roll = dice.range(0, 1);
    if (roll < 0.08) return this.make('stripes', colour, shade, dice.range(0.1, 0.3));
    if (roll < 0.14) return this.make('flowers', colour, shade, dice.range(0.12, 0.3));
    if (roll < 0.18)
      return this.make('brick', hsv(dice.range(5, 25), 0.5, dice.range(0.35, 0.7)), hsv(30, 0.1, 0.7), 0.22);
    return this.make('plaster', colour, colour, 1, dice.range(0, 0.1));
  }

  floor(wet: boolean): Material {
    const { dice } = this;
    const roll = dice.range(0, 1);
    if (wet || roll < 0.2) {
      const colour = hsv(dice.range(0, 360), dice.range(0, 0.25), dice.range(0.3, 0.9));
      const second = dice.chance(0.4) ? scaled(colour, 0.5) : WHITE;
      return this.make(dice.chance(0.3) ? 'checks' : 'tiles', colour, second, dice.range(0.15, 0.5), 0.4);
    }
    if (roll < 0.65) {
      const { colour, second } = dice.chance(0.5) ? this.wood : this.#wood();
      return this.make('planks', colour, second, dice.range(0.07, 0.16), dice.range(0.1, 0.5));
    }
    const colour = hsv(dice.range(0, 360), dice.range(0, 0.4), dice.range(0.25, 0.8));
    return this.make('carpet', colour, scaled(colour, 0.8), dice.range(0.3, 1));
  }

  ceiling(): Material {
    const { dice } = this;
    const colour = hsv(dice.range(0, 360), dice.range(0, 0.1), dice.range(0.75, 0.98));
    if (dice.chance(0.15)) return this.make('tiles', colour, scaled(colour, 0.7), 0.6);
    return this.make('plaster', colour, colour, 1);
  }
}

export function scaled([r, g, b]: Rgb, factor: number): Rgb {
  return [Math.min(0.95, r * factor), Math.min(0.95, g * factor), Math.min(0.95, b * factor)];
}
