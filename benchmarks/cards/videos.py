"""Cards of what is asked about videos: captions, open questions, multiple choice."""

from __future__ import annotations

from functools import partial

from benchmarks.cards.entry import (
    CAPTION_METRICS,
    CHOICE_METRICS,
    EXACT_METRICS,
    BenchmarkEntry,
    DataFile,
)

MSRVTT_MEDIA = ("TestVideo", "test-video", "videos")
MSRVTT_PAGE = (
    "https://www.microsoft.com/en-us/research/publication/"
    "msr-vtt-a-large-video-description-dataset-for-bridging-video-and-language/"
)
MSRVTT_FILE = DataFile(
    "captions",
    ("test_videodatainfo.json", "MSRVTT_data.json"),
    59_800,
    counted="alokssingh/MSR-VTT-captioning, README.md",
)
# What the cards of MSR-VTT share, as those of MSVD, and of the questions about both.
MSRVTT_SAYS = {
    "paper origin": "the publication's page at microsoft.com",
    "samples references": "alokssingh/MSR-VTT-captioning, README.md: 2,990 clips, 59,800 captions",
}
_MSVD_MEDIA = ("YouTubeClips", "videos")
_MAPPING = DataFile("mapping", ("youtube_mapping.txt",), 1_970, counted="counted in the file")
_XU = "Xu et al., Video QA via Gradually Refined Attention over Appearance and Motion, ACM MM 2017"
_XU_CODE = "xudejing/video-question-answering"

_captions = partial(
    BenchmarkEntry,
    room="videos",
    family="video-captioning",
    accepts=("text", "video"),
    metrics=CAPTION_METRICS,
    headline="cider_d",
    scored="coco-caption's measures, as of pictures",
)
_questions = partial(
    BenchmarkEntry,
    room="videos",
    family="video-qa",
    accepts=("text", "video"),
    metrics=EXACT_METRICS,
    headline="exact_match_normalized",
    references="1 answer to each, of one word",
    scored="accuracy of the very word",
)

VIDEOS = (
    _captions(
        name="msr-vtt",
        about="MSR-VTT captions, 20 of each clip",
        paper="Xu et al., MSR-VTT, CVPR 2016",
        origin=MSRVTT_PAGE,
        revision="2016, test_videodatainfo.json",
        licence="research use only",
        split="test",
        samples=2_990,
        references="20 captions of each",
        folder="msr-vtt",
        files=(MSRVTT_FILE,),
        media=MSRVTT_MEDIA,
        sources=MSRVTT_SAYS,
    ),
    _captions(
        name="msvd",
        about="MSVD captions, about 41 of each clip",
        paper="Chen and Dolan, Collecting Highly Parallel Data for Paraphrase Evaluation, ACL 2011",
        origin="https://www.cs.utexas.edu/users/ml/clamp/videoDescription",
        revision="AllVideoDescriptions.txt; clips 1301 to 1970 of youtube_mapping.txt",
        licence="research use only",
        split="test",
        samples=670,
        references="about 41 captions of each, 27,763 in all",
        folder="msvd",
        files=(DataFile("captions", ("AllVideoDescriptions.txt", "captions.json")), _MAPPING),
        media=_MSVD_MEDIA,
        sources={
            "paper samples references": "card of VLM2Vec/MSVD on the hub",
            "origin": f"{_XU_CODE}, README.md",
            "licence": "../shared/data/README.md",
        },
    ),
    _questions(
        name="msvd-qa",
        about="open questions about MSVD's clips, one word each",
        paper=_XU,
        origin="https://data.mendeley.com/datasets/h5j7cpwnvn",
        revision=f"{_XU_CODE} at 462f6e5, which links it and youtube_mapping.txt",
        licence="the code's is MIT; clips research use only",
        split="test",
        samples=13_157,
        folder="msvd",
        files=(
            DataFile(
                "questions",
                ("test_qa.json", "msvd_qa.json"),
                13_157,
                others={30_933: "the training split", 6_415: "the validation split", 72_821: "MSRVTT-QA's"},
            ),
            _MAPPING,
        ),
        media=_MSVD_MEDIA,
        sources={
            "paper origin": f"{_XU_CODE}, README.md",
            "licence": f"{_XU_CODE}, LICENSE; ../shared/data/README.md",
            "samples references": "MMInstruction/M3IT on the hub, data/vqa/msvd-qa/README.md",
            "scored": f"{_XU_CODE} at 462f6e5",
        },
    ),
    _questions(
        name="msrvtt-qa",
        about="open questions about MSR-VTT's clips, one word each",
        paper=_XU,
        origin="https://data.mendeley.com/datasets/bvxhs33bw6",
        revision=f"{_XU_CODE} at 462f6e5, which links it",
        licence="the code's is MIT; clips research use only",
        split="test",
        samples=72_821,
        folder="msrvtt-qa",
        files=(DataFile("questions", ("test_qa.json",), 72_821, others={13_157: "MSVD-QA's"}),),
        media=MSRVTT_MEDIA,
        sources={
            "paper origin": f"{_XU_CODE}, README.md",
            "references": "MMInstruction/M3IT on the hub, data/vqa/msrvtt-qa/README.md",
            "scored": f"{_XU_CODE} at 462f6e5",
        },
    ),
    _questions(
        name="next-qa",
        about="multiple choice: causal, temporal, descriptive",
        paper="Xiao et al., NExT-QA, CVPR 2021, arXiv:2105.08276",
        origin="https://github.com/doc-doc/NExT-QA",
        revision="dataset/nextqa/val.csv",
        licence="MIT; clips of VidOR, as their owners'",
        split="val",
        samples=4_996,
        references="1 of 5 options",
        scored="accuracy: causal, temporal, descriptive, all",
        metrics=CHOICE_METRICS,
        headline="choice_accuracy",
        folder="nextqa",
        files=(
            DataFile(
                "questions",
                ("val.csv",),
                4_996,
                others={8_564: "the test split", 5_343: "NExT-OE's"},
            ),
            DataFile("mapping", ("map_vid_vidorID.json",), optional=True),
        ),
        media=("NExTVideo", "videos"),
        sources={
            "paper origin scored": "doc-doc/NExT-QA, README.md",
            "licence": "doc-doc/NExT-QA, LICENSE",
            "samples references": "counted in dataset/nextqa/val.csv",
        },
    ),
    _questions(
        name="next-qa-open",
        about="the same clips, open-ended, by WUPS",
        paper="Xiao et al., NExT-QA, CVPR 2021, arXiv:2105.08276",
        origin="https://github.com/doc-doc/NExT-OE",
        revision="dataset/nextqa/test.csv at 7cdcc4d",
        licence="none stated in its repository; NExT-QA's is MIT; clips of VidOR, as their owners'",
        split="test",
        samples=9_178,
        references="1 answer to each, a second one to some",
        scored="WUPS at 0 and 0.9, lemmas without stop words; yes or no, and counts, by the very words",
        metrics=("wups_0_next_qa", "wups_0.9_next_qa"),
        headline="wups_0_next_qa",
        folder="nextoe",
        files=(
            DataFile(
                "questions",
                ("test.csv",),
                9_178,
                others={5_343: "the validation split", 37_523: "the training split", 8_564: "NExT-QA's test"},
            ),
            DataFile("more answers", ("add_reference_answer_test.json",), optional=True),
            DataFile("mapping", ("map_vid_vidorID.json",), optional=True),
        ),
        media=("NExTVideo", "videos"),
        sources={
            "paper origin": "doc-doc/NExT-OE, README.md",
            "licence": "doc-doc/NExT-OE, which holds no LICENSE; doc-doc/NExT-QA, LICENSE",
            "samples": "card of lmms-lab/NExTQA on the hub",
            "references scored": "doc-doc/NExT-OE, eval_oe.py and metrics.py",
        },
    ),
    _questions(
        name="activitynet-qa",
        about="open questions about long clips, by type",
        paper="Yu et al., ActivityNet-QA, AAAI 2019, arXiv:1906.02467",
        origin="https://github.com/MILVLG/activitynet-qa",
        revision="dataset at 2cf80ae",
        licence="MIT, non-commercial use only; clips of ActivityNet, as their owners'",
        split="test",
        samples=8_000,
        references="1 answer to each",
        scored="accuracy of the very words, by type of question and of answer",
        folder="activitynet-qa",
        files=tuple(
            DataFile(
                role,
                (f"test_{role[0]}.json", f"activitynet_qa_test_{role[0]}.json"),
                8_000,
                others={18_000: "the validation split", 32_000: "the training split"},
            )
            for role in ("questions", "answers")
        ),
        media=("videos", "all_test"),
        sources={
            "paper origin licence": "MILVLG/activitynet-qa, README.md",
            "samples references": "MILVLG/activitynet-qa, dataset/README.md",
            "scored": "MILVLG/activitynet-qa, evaluation/eval.py",
        },
    ),
)
