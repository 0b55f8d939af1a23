// Furnishes rooms: one function for each kind of room. A function asks for free space and skips what does not fit, so
// that rooms differ and small rooms contain less.
import { bathtub, toilet, towel, washstand } from '../props/bathroom.js';
import {
  bag,
  bin,
  books,
  bottle,
  clothes,
  computer,
  floorMat,
  lamp,
  laptop,
  mug,
  papers,
  person,
  pile,
  plant,
  someBox,
} from '../props/clutter.js';
import { coats, fireplace, mirror, wallCabinet, whiteboard } from '../props/fittings.js';
import { bed, chair, desk, officeChair, sofa, stool, table } from '../props/furniture.js';
import type { Room, Spot } from './room.js';
import type { Model } from '../tracer/solids.js';
import {
  bookshelf,
  dresser,
  filingCabinet,
  kitchenRow,
  nightStand,
  refridgerator,
  shelves,
  sideboard,
  television,
  wardrobe,
} from '../props/storage.js';

export type Plan = (room: Room) => void;

const WARM = [1, 0.78, 0.5] as const;

/** Puts small things on top of a model at height `z`, in a row along its width. */
function setOut(room: Room, model: Model, z: number, chance: number): void {
  const { dice } = room.style;
  const { style } = room;
  const [width, depth] = model.size;
  const slots = Math.max(1, Math.floor(width / 0.36));
  for (let i = 0; i < slots; i++) {
    if (!dice.chance(chance)) continue;
    const x = ((i + 0.5) / slots - 0.5) * (width - 0.1);
    const y = dice.range(-0.25, 0.25) * Math.max(0, depth - 0.25);
    const thing = dice.pick([
      () => papers(style, dice.integer(1, 4)),
      () => papers(style, dice.integer(1, 3)),
      () => pile(style),
      () => pile(style),
      () => books(style, 0.26, 0.2, 0.25),
      () => mug(style),
      () => bottle(style, dice.range(0.15, 0.32)),
      () => plant(style, dice.range(0.22, 0.4)),
      () => someBox(style),
    ])();
    if (thing.size[1] <= depth && thing.size[0] <= width + 0.05)
      model.add(thing, [x, y, z], dice.range(-25, 25));
  }
}

/** A model with small things on it. */
function laden(room: Room, model: Model, chance = 0.5): Model {
  setOut(room, model, model.size[2], chance);
  return model;
}

function tableLamp(room: Room, spot: Spot | undefined): void {
  if (!spot) return;
  const { dice } = room.style;
  const lit = dice.chance(0.5);
  const { model, up } = lamp(room.style, dice.range(0.38, 0.6), lit);
  const [x, y, z] = room.pointOf(spot, [0, 0.02, spot.model.size[2]]);
  room.put(model, x, y, z, 0);
  if (lit)
    room.lights.push({ at: [x, y, z + up], radius: 0.08, power: warm(dice.range(0.8, 2)), clear: 0.3 });
}

function floorLamp(room: Room): void {
  const { dice } = room.style;
  const lit = dice.chance(0.5);
  const { model, up } = lamp(room.style, dice.range(1.35, 1.75), lit);
  const spot = room.stand(model, { clearance: 0 });
  if (spot && lit)
    room.lights.push({ at: [spot.x, spot.y, up], radius: 0.12, power: warm(dice.range(1.5, 4)), clear: 0.4 });
}

function warm(power: number): [number, number, number] {
  return [WARM[0] * power, WARM[1] * power, WARM[2] * power];
}

/** Calls `act` with this probability. */
function maybe(room: Room, probability: number, act: () => void): void {
  if (room.style.dice.chance(probability)) act();
}

function litter(room: Room, things: readonly (() => Model)[], most: number): void {
  const { dice } = room.style;
  for (let i = dice.integer(0, most); i > 0; i--) room.drop(dice.pick(things)());
}

/** Puts a chair in front of a spot, facing it, a little turned. */
function seatAt(room: Room, spot: Spot, model: Model): void {
  const { dice } = room.style;
  const [px, py] = room.pointOf(spot, [0, -spot.model.size[1] / 2 - dice.range(0.3, 0.5), 0]);
  room.place(model, px, py, spot.yaw + 180 + dice.range(-25, 25));
}

const bedroom: Plan = (room) => {
  const { style } = room;
  const { dice } = style;
  const main = room.stand(bed(style), { clearance: 0.5 });
  if (main) {
    for (const side of [-1, 1])
      maybe(room, 0.75, () => {
        const stand = nightStand(style);
        const bare = dice.chance(0.6);
        if (!bare) setOut(room, stand, stand.size[2], 0.8);
        const spot = room.beside(main, stand, side);
        if (bare) tableLamp(room, spot);
      });
    maybe(room, 0.5, () => {
      const [x, y] = room.pointOf(main, [0, -main.model.size[1] / 2 + 0.2, 0]);
      room.put(floorMat(style, 2.2, 1.5), x, y, 0, main.yaw);
    });
    maybe(room, 0.4, () => {
      const [x, y, z] = room.pointOf(main, [dice.range(-0.3, 0.3), -0.5, 0.52]);
      room.put(dice.chance(0.7) ? clothes(style) : bag(style), x, y, z, dice.range(0, 360));
    });
  }
  maybe(room, 0.6, () => room.stand(wardrobe(style)));
  maybe(room, 0.75, () => {
    const spot = room.stand(laden(room, dresser(style), 0.6));
    if (spot)
      maybe(room, 0.6, () =>
        room.over(spot, mirror(style, dice.range(0.6, 1), dice.range(0.6, 0.9)), spot.model.size[2] + 0.35),
      );
  });
  maybe(room, 0.4, () => workplace(room));
  maybe(room, 0.35, () => room.stand(bookshelf(style)));
  maybe(room, 0.3, () => floorLamp(room));
  maybe(room, 0.3, () => room.drop(sofa(style, 1)));
  maybe(room, 0.25, () => mediaBench(room));
  litter(room, [() => clothes(style), () => bag(style), () => someBox(style), () => pile(style)], 4);
};

function mediaBench(room: Room): void {
  const { style } = room;
  const { dice } = style;
  const bench = dice.chance(0.6) ? sideboard(style) : dresser(style);
  const set = television(style, dice.range(0.6, 1.25));
  if (set.size[0] < bench.size[0] + 0.3) bench.add(set, [0, 0.02, bench.size[2]]);
  room.stand(bench);
}

function workplace(room: Room): void {
  const { style } = room;
  const { dice } = style;
  const place = desk(style);
  const [width, , top] = place.size;
  const x = dice.range(-0.2, 0.2) * width;
  place.add(dice.chance(0.7) ? computer(style) : laptop(style), [x, 0.02, top]);
  const aside = x > 0 ? -0.34 : 0.34;
  place.add(
    dice.pick([() => papers(style, 3), () => pile(style), () => books(style, 0.3, 0.2, 0.26)])(),
    [aside * width, dice.range(-0.1, 0.15), top],
    dice.range(-20, 20),
  );
  maybe(room, 0.4, () => place.add(mug(style), [aside * width * 0.6, -0.2, top]));
  maybe(room, 0.4, () =>
    place.add(lamp(style, 0.45, false).model, [Math.sign(aside) * (width / 2 - 0.12), 0.2, top]),
  );
  const spot = room.stand(place, { clearance: 0.6 });
  if (!spot) return;
  seatAt(room, spot, dice.chance(0.65) ? officeChair(style) : chair(style));
  maybe(room, 0.4, () => room.drop(bin(style), { x: spot.x, y: spot.y, within: 1 }));
  maybe(room, 0.5, () =>
    room.hang(dice.chance(0.5) ? shelves(style, true) : papers(style, 1, true), 1.25, {
      walls: [spot.wall ?? 0],
      along: spot.along,
    }),
  );
}

const living: Plan = (room) => {
  const { style } = room;
  const { dice } = style;
  const main = room.stand(sofa(style), { clearance: 0.9, gap: dice.range(0.01, 0.1) });
  if (main) {
    const [x, y] = room.pointOf(main, [0, -main.model.size[1] / 2 - 0.6, 0]);
    maybe(room, 0.6, () =>
      room.put(floorMat(style, dice.range(1.6, 2.4), dice.range(1.1, 1.6)), x, y, 0, main.yaw),
    );
    maybe(room, 0.85, () => room.place(laden(room, table(style, true), 0.6), x, y, main.yaw));
    for (const side of [-1, 1])
      maybe(room, 0.4, () => {
        const stand = dice.chance(0.5) ? nightStand(style) : stool(style);
        const spot = room.beside(main, stand, side);
        if (stand.label === 'night-stand') tableLamp(room, spot);
      });
    for (const side of [-1, 1])
      maybe(room, 0.45, () => {
        const [px, py] = room.pointOf(main, [side * 1.5, -1.5, 0]);
        room.place(sofa(style, 1), px, py, main.yaw - side * (90 + dice.range(0, 40)));
      });
  }
  maybe(room, 0.75, () => mediaBench(room));
  for (let i = dice.integer(0, 2); i > 0; i--) room.stand(bookshelf(style));
  maybe(room, 0.5, () => room.stand(laden(room, sideboard(style))));
  maybe(room, 0.3, () => room.stand(fireplace(style)));
  maybe(room, 0.3, () => diningGroup(room));
  maybe(room, 0.6, () => floorLamp(room));
  maybe(room, 0.5, () => room.stand(plant(style, dice.range(0.7, 1.5)), { clearance: 0 }));
  maybe(room, 0.15, () => room.drop(person(style)));
  litter(room, [() => bag(style), () => someBox(style), () => pile(style)], 3);
};

function diningGroup(room: Room): void {
  const { style } = room;
  const { dice } = style;
  const spot = room.drop(laden(room, table(style), 0.45), undefined, dice.pick([0, 90]));
  if (!spot) return;
  const model = () => (dice.chance(0.15) ? stool(style) : chair(style, material));
  const material = style.surface();
  const [width, depth] = spot.model.size;
  const seats = width > 1.3 ? [-0.25, 0.25] : [0];
  for (const side of [-1, 1]) {
    for (const x of seats)
      maybe(room, 0.85, () => {
        const [px, py] = room.pointOf(spot, [x * width, side * (depth / 2 + dice.range(0.08, 0.4)), 0]);
        room.place(model(), px, py, spot.yaw + (side > 0 ? 0 : 180) + dice.range(-12, 12), spot);
      });
    maybe(room, 0.4, () => {
      const [px, py] = room.pointOf(spot, [side * (width / 2 + dice.range(0.08, 0.4)), 0, 0]);
      room.place(model(), px, py, spot.yaw - side * 90 + dice.range(-12, 12), spot);
    });
  }
}

const dining: Plan = (room) => {
  const { style } = room;
  const { dice } = style;
  diningGroup(room);
  for (let i = dice.integer(1, 2); i > 0; i--)
    room.stand(laden(room, dice.chance(0.7) ? sideboard(style) : dresser(style)));
  maybe(room, 0.3, () => room.stand(bookshelf(style)));
  maybe(room, 0.3, () => room.stand(fireplace(style)));
  maybe(room, 0.4, () => room.stand(plant(style, dice.range(0.7, 1.4)), { clearance: 0 }));
  maybe(room, 0.3, () => room.stand(chair(style), { clearance: 0.1 }));
  maybe(room, 0.2, () => room.drop(person(style)));
  litter(room, [() => someBox(style), () => bag(style)], 2);
};

const kitchen: Plan = (room) => {
  const { style } = room;
  const { dice } = style;
  const wall = dice.integer(0, 3);
  const length = Math.min(room.wallLength(wall) - 0.8, dice.range(2, 3.6));
  const row = room.stand(kitchenRow(style, length), { walls: [wall], clearance: 0.6 });
  const fridge = refridgerator(style);
  const side = dice.pick([-1, 1]);
  if (!row || !(room.beside(row, fridge, side) ?? room.beside(row, fridge, -side))) room.stand(fridge);
  maybe(room, 0.35, () => room.stand(kitchenRow(style, dice.range(1.2, 2)), { clearance: 0.6 }));
  maybe(room, 0.75, () => diningGroup(room));
  maybe(room, 0.35, () => room.stand(sideboard(style)));
  maybe(room, 0.3, () => room.hang(towel(style), 1));
  maybe(room, 0.4, () => room.hang(shelves(style, true), 1.3));
  maybe(room, 0.15, () => room.drop(person(style)));
  litter(room, [() => someBox(style), () => bin(style), () => bag(style), () => stool(style)], 3);
};

const office: Plan = (room) => {
  const { style } = room;
  const { dice } = style;
  for (let i = dice.integer(1, 3); i > 0; i--) workplace(room);
  for (let i = dice.integer(0, 2); i > 0; i--) room.stand(bookshelf(style));
  maybe(room, 0.7, () => room.hang(whiteboard(style), dice.range(0.9, 1.1)));
  maybe(room, 0.6, () => room.stand(laden(room, filingCabinet(style))));
  maybe(room, 0.4, () => diningGroup(room));
  maybe(room, 0.3, () => room.stand(sofa(style)));
  maybe(room, 0.35, () => room.drop(person(style)));
  maybe(room, 0.3, () => room.stand(plant(style, dice.range(0.8, 1.4)), { clearance: 0 }));
  litter(room, [() => someBox(style), () => bag(style), () => bin(style), () => pile(style)], 4);
};

const bathroom: Plan = (room) => {
  const { style } = room;
  const { dice } = style;
  maybe(room, 0.85, () => room.stand(bathtub(style), { clearance: 0.3 }));
  room.stand(washstand(style), { clearance: 0.4 });
  room.stand(toilet(style), { clearance: 0.4 });
  for (let i = dice.integer(1, 3); i > 0; i--) room.hang(towel(style), dice.range(0.8, 1.2));
  maybe(room, 0.6, () =>
    room.put(floorMat(style, 0.8, 0.55), room.size[0] / 2, room.size[1] / 2, 0, dice.range(-20, 20)),
  );
  maybe(room, 0.4, () => room.hang(wallCabinet(style), 1.35));
  maybe(room, 0.3, () => room.hang(shelves(style, true), 1.2));
  maybe(room, 0.4, () => room.stand(nightStand(style)));
  litter(room, [() => bin(style), () => clothes(style)], 2);
};

const storeroom: Plan = (room) => {
  const { style } = room;
  const { dice } = style;
  for (let i = dice.integer(2, 3); i > 0; i--) room.stand(shelves(style, false));
  maybe(room, 0.6, () => room.stand(wardrobe(style)));
  maybe(room, 0.5, () => room.hang(coats(style), 0.75));
  maybe(room, 0.4, () => room.stand(laden(room, desk(style))));
  maybe(room, 0.3, () => room.stand(refridgerator(style)));
  maybe(room, 0.4, () => room.drop(chair(style)));
  maybe(room, 0.3, () => room.drop(person(style)));
  litter(
    room,
    [() => someBox(style), () => someBox(style), () => bag(style), () => clothes(style), () => pile(style)],
    7,
  );
};

/** Kinds of room by how often they are drawn. */
export const PLANS: readonly { plan: Plan; share: number; wet?: boolean }[] = [
  { plan: bedroom, share: 0.24 },
  { plan: living, share: 0.26 },
  { plan: kitchen, share: 0.18 },
  { plan: office, share: 0.12 },
  { plan: dining, share: 0.07 },
  { plan: bathroom, share: 0.08, wet: true },
  { plan: storeroom, share: 0.05 },
];
