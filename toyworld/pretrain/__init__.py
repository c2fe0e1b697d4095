"""How the tiny frozen backbones of this world are made: one file per part.

The parts for sound and motion, as measured on one core: processor seconds a step, megabytes in half
precision. None of them is shipped yet.

====================  =====  ========  =====  ================================================================
part                  steps  s / step     MB
====================  =====  ========  =====  ================================================================
sound_extractor        3000      0.23    1.6
clip_extractor         3000      0.35    1.9
media_encoder          4500      0.24    4.7  instead of `encoder`, which has 3.1
media_language_model   5000      1.14    3.7  instead of `language_model`, with which it begins
clap                   3000      0.23         within `audio_diffusion`
mel_autoencoder        2500      0.41         within `audio_diffusion`
audio_diffusion        4000      0.88    8.7
video_diffusion        6000      1.42   16.0  of which 3.3 are the pictures' autoencoder, written again
====================  =====  ========  =====  ================================================================

Together about six and a half hours of one core, and with what is shipped today, less what they replace,
58 MB. What trial runs showed:

- sound_extractor: the whole recipe, killed and resumed at step 2,116; the loss came from 5.4 to 0.27. Of 200
  held-out sounds, every second an edit of the one before, 0.64 are found by their text; of 0.74 all is read
  out of the embedding of the sound, but of 0.50 only out of that of the text.
- clap: tells the AudioLDM what to play, so every attribute must be in its text's embedding. Text towers that
  were trained for 700 steps by the read-out alone held 0.81 of the sounds at a width of 96, and 0.93 at 160.
  So contrast is what pushes attributes out: here the read-out weighs four times as much, on a wider tower.
- media_encoder: the whole recipe. Of 200 held-out pictures, clips and sounds 0.94, 0.88 and 0.65 are found by
  their text; of their patches 0.996, 0.952 and 1.000 say all that is in them.
- mel_autoencoder: after 250 steps on 500 sounds the error was 0.30 nepers, and behind Griffin and Lim's
  method the oracle heard 10 of 16 held-out sounds right.
- video_diffusion: the autoencoder of pictures draws frames of clips at 37 to 39 dB, and need not be trained
  again.
"""
