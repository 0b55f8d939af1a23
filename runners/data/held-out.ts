/** Training images that are held out: at least one where a share of them is. */
export const heldOutCount = (share: number, images: number): number =>
  share > 0 ? Math.max(1, Math.round(share * images)) : 0;
