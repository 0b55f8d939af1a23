#!/bin/sh
# Draws the rows of Table 1 into this folder: run from the repository's root after `npm run build`.
set -e
for row in MTL Cross-Stitch PAP PSD PAD-Net MTI-Net InvPT DeMT MTFormer MLoRE Bi-MTDP NDDR-CNN MTAN MT-CP; do
  file=$(echo "$row" | tr 'A-Z' 'a-z')
  node dist/runners/cli/main.js describe experiments/table1.yaml --row "$row" --format svg -o "docs/systems/$file.svg"
done
