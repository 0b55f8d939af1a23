#!/bin/sh
# Draws the systems into this folder: run from the repository's root after `npm run build`.
set -e
draw() {
  file=$(echo "$2" | tr 'A-Z' 'a-z')
  node dist/runners/cli/main.js describe "experiments/$1.yaml" --row "$2" --format svg -o "docs/systems/$file.svg"
}
for row in MTL Cross-Stitch PAP PSD PAD-Net MTI-Net InvPT DeMT MTFormer MLoRE Bi-MTDP NDDR-CNN MTAN MT-CP; do
  draw table1 "$row"
done
for row in ATRC TaskPrompter Sluice EMA-Net MTMamba MTMamba++; do draw beyond "$row"; done
for row in MMoE CGC PLE DSelect-k LTB; do draw sharing "$row"; done
